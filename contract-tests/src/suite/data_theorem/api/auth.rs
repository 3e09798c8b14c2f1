//! Keys and what they may see.

use std::collections::BTreeSet;

use fixtures::spec::data_theorem::{
    DT_AUTH_APP_SCOPE, DT_AUTH_KEY_CHARACTERS, DT_AUTH_REQUIRED, DT_AUTH_SCHEME, DT_AUTH_SCHEME_CASE,
};

use super::super::client::{APPS, DataTheorem, FINDINGS, TARGETS};
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, observed};

checks! { "data-theorem/auth";
    key_required: DT_AUTH_REQUIRED, Reading, key_required;
    scheme_before_the_key: DT_AUTH_SCHEME, Reading, scheme_before_the_key;
    key_with_slash_and_equals_sign: DT_AUTH_KEY_CHARACTERS, Reading, key_with_slash_and_equals_sign;
    scheme_in_any_case: DT_AUTH_SCHEME_CASE, Reading, scheme_in_any_case;
    app_of_no_access_refused: DT_AUTH_APP_SCOPE, Control, app_of_no_access_refused;
}

/// A key by its form, and nobody's.
const NOBODYS_KEY: &str = "AAAABBBBCCCCAJ82/iNaIQ==";

/// The account's own key works, in the documented form.
fn with_own_key(case: &Case) -> Result<DataTheorem<'_>, Stop> {
    let api = case.data_theorem()?;
    api.page(APPS, &[])?;
    Ok(api)
}

fn key_required(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let mut served = 0;
    for list in [APPS, FINDINGS, TARGETS] {
        match api.page(list, &[]) {
            Ok(_) => served += 1,
            // A stand-in need not serve every list; what it serves it has to guard.
            Err(Stop::NotExercised(_)) => continue,
            Err(stop) => return Err(stop),
        }
        for stranger in [api.anonymous(), api.with_key(NOBODYS_KEY)] {
            let (reply, evidence) = stranger.get(list)?;
            if reply.status != 401 {
                return broken_at(&evidence, "401 without a valid key", reply.status);
            }
        }
    }
    Held::over(served, "no list is served")
}

/// `Bearer` is not among the other forms: whether it still works is a reading.
fn scheme_before_the_key(case: &Case) -> Verdict {
    let api = with_own_key(case)?;
    let key = api.api_key();
    let others = [key.to_owned(), format!("Basic {key}"), format!("Key {key}"), format!("APIKey={key}")];
    for header in &others {
        let (reply, evidence) = api.with_authorization(header).get(APPS)?;
        if reply.is_success() {
            return broken_at(&evidence, "a key is only taken behind `APIKey `", reply.status);
        }
    }
    Held::over(others.len(), "no other form")
}

fn key_with_slash_and_equals_sign(case: &Case) -> Verdict {
    let api = with_own_key(case)?;
    let (reply, _) = api.with_key(NOBODYS_KEY).get(APPS)?;
    observed(!reply.is_success(), "any key is accepted")?;
    let keys = api.keys().iter().map(|key| key.api_key.as_str()).chain([api.api_key()]);
    let special: BTreeSet<&str> = keys.filter(|key| key.contains('/') || key.ends_with('=')).collect();
    for key in &special {
        let (reply, evidence) = api.with_key(key).get(APPS)?;
        if reply.status != 200 {
            return broken_at(&evidence, "a key with `/` or `=` in it is accepted", reply.status);
        }
    }
    Held::over(special.len(), "the account has no key with `/` or `=` in it")
}

fn scheme_in_any_case(case: &Case) -> Verdict {
    let api = with_own_key(case)?;
    let key = api.api_key();
    let (reply, _) = api.with_authorization(&format!("NoKey {key}")).get(APPS)?;
    observed(!reply.is_success(), "any scheme is accepted")?;
    let schemes = ["APIKEY", "apikey", "ApiKey"];
    for scheme in schemes {
        let (reply, evidence) = api.with_authorization(&format!("{scheme} {key}")).get(APPS)?;
        if reply.status != 200 {
            return broken_at(&evidence, format!("{scheme} is the same as APIKey"), reply.status);
        }
    }
    Held::over(schemes.len(), "no scheme")
}

/// The rule names 403; that 404 may be what hides an app is a reading.
fn app_of_no_access_refused(case: &Case) -> Verdict {
    let api = case.data_theorem()?;
    let has_apps = |apps: &Option<BTreeSet<String>>| apps.as_ref().is_some_and(|apps| !apps.is_empty());
    let key = api.find_key("that is limited to some apps", |key| has_apps(&key.mobile_app_ids))?;
    let limited = api.with_key(&key.api_key);
    let may_see = |id: &str| key.mobile_app_ids.as_ref().is_none_or(|apps| apps.contains(id));
    let app = |wanted: bool, what| {
        let fits = |id: &str| may_see(id) == wanted;
        let target = api.targets()?.find(what, |target| target.text("mobile_app_id").is_some_and(fits))?;
        Ok::<_, Stop>(target.text("mobile_app_id").unwrap_or_default())
    };
    let own = app(true, "target in an app of the limited key")?;
    let foreign = app(false, "target in an app outside the limited key's")?;
    for list in [FINDINGS, TARGETS] {
        observe_filter_by_app(api, list, foreign)?;
    }
    let paths: [&dyn Fn(&str) -> String; 4] = [
        &|app| format!("{APPS}/{app}"),
        &|app| format!("{APPS}/{app}/scans"),
        &|app| format!("{FINDINGS}?mobile_app_id={app}"),
        &|app| format!("{TARGETS}?mobile_app_id={app}"),
    ];
    for path in paths {
        let (allowed, _) = limited.get(&path(own))?;
        observed(
            allowed.status == 200,
            format!("with access, GET {} answers {}", path(own), allowed.status),
        )?;
        let (there, _) = api.get(&path(foreign))?;
        observed(there.status == 200, format!("GET {} answers {}", path(foreign), there.status))?;
        let (reply, evidence) = limited.get(&path(foreign))?;
        if ![403, 404].contains(&reply.status) {
            return broken_at(&evidence, "403 to a key without access to the app", reply.status);
        }
    }
    Held::over(paths.len(), "no path")
}

/// Only a list that is limited to the app asks about it.
fn observe_filter_by_app(api: DataTheorem<'_>, list: &str, app: &str) -> Result<(), Stop> {
    let rows = api.page(list, &[("mobile_app_id", app)])?.rows.rows;
    let is_limited = !rows.is_empty() && rows.iter().all(|row| row.text("mobile_app_id") == Some(app));
    observed(is_limited, format!("`mobile_app_id` does not limit {list}"))
}
