//! What the statuses of targets mean: which of them a scan sets, and which a person.

use fixtures::spec::data_theorem::{
    DT_STATUS_CLOSED_FIXED, DT_STATUS_CLOSED_WONT_FIX, DT_STATUS_NEW, DT_STATUS_OPEN,
};
use serde_json::{Value, json};

use super::super::client::DataTheorem;
use crate::suite::case::Case;
use crate::suite::check::{Held, Stop, Verdict, broken_at, checks, not_exercised, observed};

checks! { "data-theorem/statuses";
    new_when_first_found: DT_STATUS_NEW, Control, new_when_first_found;
    open_when_found_again: DT_STATUS_OPEN, Control, open_when_found_again;
    fixed_when_found_no_more: DT_STATUS_CLOSED_FIXED, Control, fixed_when_found_no_more;
    wont_fix_when_a_person_says_so: DT_STATUS_CLOSED_WONT_FIX, Control, wont_fix_when_a_person_says_so;
}

/// A target that came of a scan in the course of a check.
struct Found<'c> {
    case: &'c Case,
    api: DataTheorem<'c>,
    app: String,
    id: String,
}

impl<'c> Found<'c> {
    /// Has a scan find a component that was never seen before.
    fn by_a_scan(case: &'c Case, text: &str) -> Result<Self, Stop> {
        let api = case.data_theorem()?;
        // The finding of an open target takes new ones.
        let known = api.changeable_target(&["OPEN"])?;
        let (Some(app), Some(kind)) = (known.text("mobile_app_id"), known.text("issue_type_id")) else {
            return not_exercised("the targets name no app or no issue type");
        };
        let observed = json!([{"issue_type_id": kind, "text": text}]);
        let effects = case.happen(&scan(app, &observed, &json!("nothing")))?;
        match effects["created_targets"][0].as_str() {
            Some(id) => Ok(Self { case, api, app: app.to_owned(), id: id.to_owned() }),
            None => not_exercised("a scan that found something new made no target of it"),
        }
    }

    /// An hour later another scan looks for it, and finds it or does not.
    fn scanned_again(&self, is_there: bool) -> Result<(), Stop> {
        self.case.sandbox()?.advance_seconds(3600)?;
        let (observed, missed) = if is_there {
            (json!([{"target_id": self.id}]), json!("nothing"))
        } else {
            (json!([]), json!({"targets": [self.id]}))
        };
        self.case.happen(&scan(&self.app, &observed, &missed))?;
        Ok(())
    }

    fn status(&self) -> Result<String, Stop> {
        Ok(self.api.target(&self.id)?.text("current_status").unwrap_or_default().to_owned())
    }

    /// It shows this status now.
    fn is(&self, status: &str, why: &str) -> Verdict {
        let target = self.api.target(&self.id)?;
        if target.text("current_status") == Some(status) {
            return Held::once();
        }
        broken_at(&target.evidence, format!("{status}: {why}"), &target.json["current_status"])
    }
}

fn scan(app: &str, observed: &Value, missed: &Value) -> Value {
    json!({
        "type": "data_theorem.scan", "mobile_app_id": app, "build_version": "99.0.0", "observed": observed,
        "missed": missed,
    })
}

fn new_when_first_found(case: &Case) -> Verdict {
    let found = Found::by_a_scan(case, "`com.example.contract.New`")?;
    found.is("NEW", "the latest scan found it, and no scan before")
}

fn open_when_found_again(case: &Case) -> Verdict {
    let found = Found::by_a_scan(case, "`com.example.contract.FoundAgain`")?;
    for why in ["two scans found it one after the other", "three scans found it one after the other"] {
        found.scanned_again(true)?;
        found.is("OPEN", why)?;
    }
    Held::once()
}

fn fixed_when_found_no_more(case: &Case) -> Verdict {
    let found = Found::by_a_scan(case, "`com.example.contract.Fixed`")?;
    found.scanned_again(true)?;
    let before = found.status()?;
    observed(["NEW", "OPEN"].contains(&before.as_str()), format!("what two scans found is {before}"))?;
    found.scanned_again(false)?;
    found.is("CLOSED_FIXED", "the latest scan looked for it and did not find it")
}

fn wont_fix_when_a_person_says_so(case: &Case) -> Verdict {
    let found = Found::by_a_scan(case, "`com.example.contract.WontFix`")?;
    let before = found.status()?;
    observed(!before.starts_with("CLOSED"), format!("what a scan has found is {before}"))?;
    let status = "CLOSED_WONT_FIX";
    case.happen(&json!({"type": "data_theorem.target_status", "target_id": found.id, "status": status}))?;
    found.is(status, "a person set it")
}
