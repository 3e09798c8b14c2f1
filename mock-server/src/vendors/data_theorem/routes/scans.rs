//! `mobile_apps/:id/scans`: the scans of an app.

use fixtures::world::data_theorem::ScanSpec;

use super::mobile_apps::visible_app;
use super::{Account, Call, Refusal, Reply, render_list};
use crate::vendors::data_theorem::rules::auth;
use crate::vendors::data_theorem::rules::filters::ListSpec;
use crate::vendors::data_theorem::wire;

static LIST: ListSpec = ListSpec { name: "scans", filters: &[] };

/// `GET mobile_apps/:id/scans`, newest first.
pub(super) fn list_scans(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let app = visible_app(account, call)?;
    let request = call.page(&LIST, account)?;
    let page = account.store.list_scans(&app.facts.id, request.window(account));
    let push =
        |out: &mut Vec<u8>, scan: &ScanSpec| wire::push_scan(out, scan, &app.version, account.readings());
    Ok(render_list(&LIST, "scans", &request, &page, account, push))
}

/// `GET mobile_apps/:id/scans/:id`
pub(super) fn get_scan(account: &Account, call: &Call<'_>) -> Result<Reply, Refusal> {
    let app = visible_app(account, call)?;
    let scan = account.store.scan(call.id(1)).filter(|scan| scan.mobile_app_id == app.facts.id);
    let Some(scan) = scan else {
        return Err(auth::unknown_id("scan", call.id(1), account.readings()));
    };
    let mut body = Vec::new();
    wire::push_scan(&mut body, scan, &app.version, account.readings());
    Ok(Reply::ok(body))
}
