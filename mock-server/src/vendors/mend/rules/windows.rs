//! Windows of time: which seconds a request asks for.

use fixtures::spec::mend as ledger;
use serde_json::{Map, Value};

use super::datetimes::{self, Bound};
use super::errors::Refused;
use super::fields;
use crate::vendors::mend::readings::{
    FetchWindowBounds, FetchWindowMinutes, FetchWindowMissing, FetchWindowOneBound, FetchWindowReversed,
    FetchWindowUnparsable, Readings,
};
use crate::vendors::mend::store::Window;

/// Every second there is.
pub const ALL: Window = Window { from: i64::MIN, to: i64::MAX };

/// The window of `fetchProjectPolicyIssues`. One that ends before it begins holds nothing.
pub fn of_fetch(fields: &Map<String, Value>, readings: &Readings) -> Result<Window, Refused> {
    let from = fetch_bound(fields, "fromDateTime", readings)?;
    let to = fetch_bound(fields, "toDateTime", readings)?;
    let missing = |names: &[&str], reading| Err(Refused::missing(names, reading, readings));
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (Some(from), Some(to)),
        (None, None) => match readings.fetch_window_missing {
            FetchWindowMissing::All => (None, None),
            FetchWindowMissing::Refused => {
                return missing(&["fromDateTime", "toDateTime"], &ledger::MEND_FETCH_WINDOW_MISSING);
            }
        },
        (from, to) => match readings.fetch_window_one_bound {
            FetchWindowOneBound::All => (None, None),
            FetchWindowOneBound::HalfOpen => (from, to),
            FetchWindowOneBound::Refused => {
                let name = if from.is_none() { "fromDateTime" } else { "toDateTime" };
                return missing(&[name], &ledger::MEND_FETCH_WINDOW_ONE_BOUND);
            }
        },
    };
    let end = to.map(|to| end(to, readings));
    let window = Window {
        from: from.map_or(i64::MIN, |from| from.second),
        to: end.map_or(i64::MAX, |end| last_second(end, readings)),
    };
    // A window that ends where it begins is not reversed, even if its end does not belong to it.
    if end.is_some_and(|end| window.from > end)
        && readings.fetch_window_reversed == FetchWindowReversed::Refused
    {
        let reason = "fromDateTime is later than toDateTime";
        return Err(Refused::bad_value(&ledger::MEND_FETCH_WINDOW_REVERSED, reason, readings));
    }
    Ok(window)
}

fn fetch_bound(
    fields: &Map<String, Value>,
    name: &str,
    readings: &Readings,
) -> Result<Option<Bound>, Refused> {
    let reading = &ledger::MEND_FETCH_WINDOW_FORMAT;
    let Some(text) = fields::optional_text(fields, name, reading, readings)? else { return Ok(None) };
    match datetimes::window_bound(text, readings.fetch_window_format) {
        Some(bound) => Ok(Some(bound)),
        None if readings.fetch_window_unparsable == FetchWindowUnparsable::Ignored => Ok(None),
        None => {
            let reason = format!("{name} is no date of the form YYYY-MM-DD HH:mm:ss");
            Err(Refused::bad_value(reading, reason, readings))
        }
    }
}

/// The second that a bound at the end stands for.
fn end(to: Bound, readings: &Readings) -> i64 {
    let whole_minute = to.in_minutes && readings.fetch_window_minutes == FetchWindowMinutes::WholeMinute;
    if whole_minute { to.second + 59 } else { to.second }
}

/// The last second that a window with this end holds.
fn last_second(end: i64, readings: &Readings) -> i64 {
    match readings.fetch_window_bounds {
        FetchWindowBounds::Inclusive => end,
        FetchWindowBounds::ToExclusive => end - 1,
    }
}

/// The window of `getOrganizationLastModifiedProjects`; both bounds may be absent.
pub fn of_modifications(fields: &Map<String, Value>, readings: &Readings) -> Result<Window, Refused> {
    let bound = |name| -> Result<Option<i64>, Refused> {
        let rule = &ledger::MEND_MODIFIED_RANGE_FORMAT;
        let Some(text) = fields::optional_text(fields, name, rule, readings)? else { return Ok(None) };
        match datetimes::with_seconds(text) {
            Some(bound) => Ok(Some(bound.second)),
            None => {
                let reason = format!("{name} is no date of the form YYYY-MM-DD HH:mm:ss");
                Err(Refused::bad_value(rule, reason, readings))
            }
        }
    };
    Ok(Window {
        from: bound("fromDateTime")?.unwrap_or(ALL.from),
        to: bound("toDateTime")?.unwrap_or(ALL.to),
    })
}
