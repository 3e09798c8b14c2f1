//! Issues in windows of time.

use std::collections::BTreeMap;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::super::client::Mend;
use super::tried::{Tried, tried};
use crate::suite::check::{Stop, not_exercised, observed, unclear};
use crate::suite::rows::{Row, Rows};

/// A way to write a bound.
pub(super) type Form = &'static str;
/// As Mend's own client does.
pub(super) const SPACE: Form = "%Y-%m-%d %H:%M:%S";
/// As the table says.
pub(super) const SLASHES: Form = "%Y/%m/%d-%H:%M";
/// As the example shows.
pub(super) const DASHES: Form = "%Y-%m-%d-%H:%M";
/// All of them.
pub(super) const FORMS: [Form; 3] = [SPACE, SLASHES, DASHES];

/// Before everything.
pub(super) const EARLY: DateTime = date(2000, 1, 1).at(0, 0, 0, 0);
/// After everything.
pub(super) const LATE: DateTime = date(2100, 1, 1).at(0, 0, 0, 0);

/// How many projects are looked at in search of one that fits.
const PROJECTS_MAX: usize = 8;
/// Of how many violations the second is looked for.
const SEARCHES_MAX: usize = 4;

/// A project with issues, and a form of bounds that windows on them may have.
pub(super) struct Framed<'c> {
    api: Mend<'c>,
    pub(super) project: String,
    form: Form,
    /// What a window over everything holds.
    pub(super) issues: Rows,
}

/// A violation and the second in which it came up.
pub(super) struct Dated {
    pub(super) uuid: String,
    pub(super) second: DateTime,
}

/// The issues of a project, with these fields in the call.
pub(super) fn fetched(api: Mend<'_>, project: &str, fields: &Value) -> Result<Tried<Rows>, Stop> {
    let mut all = Map::new();
    all.insert("projectToken".to_owned(), Value::from(project));
    all.insert("policyActionType".to_owned(), Value::from("CREATE_ISSUE"));
    all.extend(fields.as_object().cloned().unwrap_or_default());
    let answer = tried(api, "fetchProjectPolicyIssues", &Value::Object(all))?;
    Ok(answer.map(|answer| answer.rows("issues", "an issue")))
}

/// The issues of a project in a window.
fn within(
    api: Mend<'_>,
    project: &str,
    form: Form,
    (from, to): (DateTime, DateTime),
) -> Result<Tried<Rows>, Stop> {
    fetched(api, project, &bounds(form, from, to))
}

fn bounds(form: Form, from: DateTime, to: DateTime) -> Value {
    json!({"fromDateTime": written(from, form), "toDateTime": written(to, form)})
}

/// An instant in this form.
fn written(instant: DateTime, form: Form) -> String {
    instant.strftime(form).to_string()
}

/// What a window over everything holds, if bounds of this form are understood: a window before everything then holds
/// nothing. A server that ignores such bounds answers the same both times.
pub(super) fn understood(api: Mend<'_>, project: &str, form: Form) -> Result<Option<Rows>, Stop> {
    let Ok(all) = within(api, project, form, (EARLY, LATE))? else { return Ok(None) };
    let Ok(none) = within(api, project, form, (EARLY, later(EARLY, 60)))? else { return Ok(None) };
    Ok((!all.rows.is_empty() && none.rows.is_empty()).then_some(all))
}

/// That many seconds later, or earlier.
pub(super) fn later(instant: DateTime, seconds: i64) -> DateTime {
    instant.saturating_add(SignedDuration::from_secs(seconds))
}

/// The instant as bounds say it.
pub(super) fn in_utc(instant: Timestamp) -> DateTime {
    instant.to_zoned(TimeZone::UTC).datetime()
}

/// The first violation of an issue that fits.
pub(super) fn violation_of(issue: &Row, fits: impl Fn(&Value) -> bool) -> Option<&Value> {
    issue.list("policyViolations").iter().find(|one| one["issueUuid"].is_string() && fits(one))
}

impl<'c> Framed<'c> {
    /// A project whose issues fit.
    pub(super) fn find(api: Mend<'c>, what: &str, fits: impl Fn(&Rows) -> bool) -> Result<Self, Stop> {
        for project in api.projects()?.rows.iter().take(PROJECTS_MAX) {
            let project = project.text("projectToken").unwrap_or_default().to_owned();
            for form in FORMS {
                let Some(issues) = understood(api, &project, form)? else { continue };
                if fits(&issues) {
                    return Ok(Self { api, project, form, issues });
                }
                break;
            }
        }
        not_exercised(format!("there is no project with {what} in a window of time"))
    }

    /// A project with so many issues.
    pub(super) fn with_issues(api: Mend<'c>, least: usize) -> Result<Self, Stop> {
        Self::find(api, &format!("{least} issues"), |issues| issues.rows.len() >= least)
    }

    /// What a window holds.
    pub(super) fn within(&self, from: DateTime, to: DateTime) -> Result<Tried<Rows>, Stop> {
        within(self.api, &self.project, self.form, (from, to))
    }

    /// What the call with one bound holds.
    pub(super) fn with_bound(&self, name: &str, bound: DateTime) -> Result<Tried<Rows>, Stop> {
        fetched(self.api, &self.project, &json!({name: written(bound, self.form)}))
    }

    /// What a window over everything holds, with more fields in the call.
    pub(super) fn asked(&self, fields: &Value) -> Result<Tried<Rows>, Stop> {
        let mut all = bounds(self.form, EARLY, LATE);
        if let (Some(all), Some(fields)) = (all.as_object_mut(), fields.as_object()) {
            all.extend(fields.clone());
        }
        fetched(self.api, &self.project, &all)
    }

    /// Whether a window holds a violation.
    pub(super) fn holds(&self, uuid: &str, from: DateTime, to: DateTime) -> Result<bool, Stop> {
        self.holds_in(self.form, uuid, from, to)
    }

    /// The same for bounds in another form.
    pub(super) fn holds_in(
        &self,
        form: Form,
        uuid: &str,
        from: DateTime,
        to: DateTime,
    ) -> Result<bool, Stop> {
        match within(self.api, &self.project, form, (from, to))? {
            Ok(issues) => Ok(issues
                .rows
                .iter()
                .any(|issue| violation_of(issue, |one| one["issueUuid"] == uuid).is_some())),
            Err(refusal) => unclear("a window is refused", refusal.message),
        }
    }

    /// A violation that came up in a second that fits. Answers show days only, so the second is closed in on by
    /// windows: their start belongs to them under every reading.
    pub(super) fn dated(&self, fits: impl Fn(DateTime) -> bool) -> Result<Dated, Stop> {
        observed(self.form == SPACE, "windows don't take seconds")?;
        for (uuid, day) in self.alone_on_their_day().into_iter().take(SEARCHES_MAX) {
            let end = later(day, 86_400);
            let holds = |from: DateTime| self.holds(&uuid, from, later(end, 60));
            observed(holds(day)?, "a window of the day on which a violation was created does not hold it")?;
            observed(!holds(end)?, "a window behind the day on which a violation was created holds it")?;
            let (mut inside, mut outside) = (0, 86_400);
            while outside - inside > 1 {
                let middle = i64::midpoint(inside, outside);
                if holds(later(day, middle))? {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            let second = later(day, inside);
            if fits(second) {
                return Ok(Dated { uuid, second });
            }
        }
        not_exercised("no violation came up in a second of the kind in question")
    }

    /// Violations that never changed, each with its day; those first that share it with the fewest others, which
    /// are likely to have come up by themselves and not when a policy was made.
    fn alone_on_their_day(&self) -> Vec<(String, DateTime)> {
        let mut by_day: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for violation in self.issues.rows.iter().flat_map(|issue| issue.list("policyViolations")) {
            let texts = ["issueUuid", "created", "lastModified"].map(|name| violation[name].as_str());
            if let [Some(uuid), Some(created), Some(modified)] = texts
                && created == modified
            {
                by_day.entry(created).or_default().push(uuid);
            }
        }
        let mut days: Vec<(&str, Vec<&str>)> = by_day.into_iter().collect();
        days.sort_by_key(|(_, violations)| violations.len());
        days.into_iter()
            .filter_map(|(day, violations)| Some((violations.first()?.to_string(), start_of(day)?)))
            .collect()
    }
}

/// The first second of a day such as `2021-01-26`.
pub(super) fn start_of(day: &str) -> Option<DateTime> {
    Some(day.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0))
}
