//! Times, words and orders.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::JqlError;
use super::terms::no_field;
use crate::vendors::jira::store::{Issue, Store};

/// The instant that a date or a period names: `2026-01-15`, `2026/01/15 10:30`, `-4d`, `-1w 2h`. Dates are read in UTC,
/// the time zone of every user here.
pub(super) fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let date = text.replace('/', "-");
    let civil = match date.split_once(' ') {
        Some((day, time)) if time.len() == 5 => format!("{day}T{time}:00"),
        None if date.len() >= 8 && date.contains('-') && !date.starts_with('-') => format!("{date}T00:00:00"),
        _ => String::new(),
    };
    if let Ok(civil) = civil.parse::<DateTime>() {
        return civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    now.checked_add(period(text)?).ok()
}

/// `-4d`, `4w 2d`, `-90m`: each part a number and a unit. Without a unit it is minutes.
fn period(text: &str) -> Option<SignedDuration> {
    let (sign, parts) = match text.strip_prefix('-') {
        Some(parts) => (-1, parts),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut minutes: i64 = 0;
    let mut parts = parts.split_whitespace().peekable();
    parts.peek()?;
    for part in parts {
        let (number, unit) =
            part.split_at(part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len()));
        let unit = match unit {
            "m" | "" => 1,
            "h" => 60,
            "d" => 24 * 60,
            "w" => 7 * 24 * 60,
            "y" => 365 * 24 * 60,
            _ => return None,
        };
        minutes = minutes.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
    }
    let seconds = minutes.checked_mul(60)?.checked_mul(sign)?;
    Some(SignedDuration::from_secs(seconds))
}

/// Words that a text has to have: all of them, in any order, or a phrase. A word may end in `*`.
#[derive(Debug, Clone)]
pub struct Pattern {
    words: Vec<String>,
    is_phrase: bool,
}

impl Pattern {
    /// What `~` is given. Quotes within the quotes make a phrase.
    pub(super) fn new(text: &str) -> Self {
        let trimmed = text.trim();
        let phrase = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Self { words: words(phrase.unwrap_or(trimmed), true), is_phrase: phrase.is_some() }
    }

    /// Whether a text has them. No words are in no text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let found = words(text, false);
        let fits = |wanted: &String, word: &String| match wanted.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == wanted,
        };
        if self.words.is_empty() {
            return false;
        }
        if self.is_phrase {
            return found
                .windows(self.words.len())
                .any(|window| self.words.iter().zip(window).all(|(wanted, word)| fits(wanted, word)));
        }
        self.words.iter().all(|wanted| found.iter().any(|word| fits(wanted, word)))
    }
}

fn words(text: &str, stars: bool) -> Vec<String> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || (stars && letter == '*');
    let found = text.split(|letter: char| !is_part(letter)).filter(|word| !word.is_empty());
    found.map(str::to_lowercase).collect()
}

/// A field to order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    field: OrderField,
    descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderField {
    Key,
    Id,
    Created,
    Updated,
    Resolved,
    Priority,
    Status,
    Summary,
}

/// The order that a field and a direction mean. Times run downwards unless told otherwise.
pub(super) fn order(field: &str, descending: Option<bool>) -> Result<Order, JqlError> {
    let (field, usually) = match field.to_lowercase().as_str() {
        "key" | "issue" | "issuekey" => (OrderField::Key, false),
        "id" => (OrderField::Id, false),
        "created" | "createddate" => (OrderField::Created, true),
        "updated" | "updateddate" => (OrderField::Updated, true),
        "resolved" | "resolutiondate" => (OrderField::Resolved, true),
        "priority" => (OrderField::Priority, true),
        "status" => (OrderField::Status, false),
        "summary" => (OrderField::Summary, false),
        _ => return Err(no_field(field)),
    };
    Ok(Order { field, descending: descending.unwrap_or(usually) })
}

/// What an issue is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortKey {
    /// A number, or a time in microseconds.
    Number(i64),
    /// A text and a number.
    Text(String, u64),
}

impl Order {
    /// What an issue is ordered by in this order.
    pub fn key(self, issue: &Issue, store: &Store) -> SortKey {
        let number = |value: u64| SortKey::Number(i64::try_from(value).unwrap_or(i64::MAX));
        match self.field {
            OrderField::Key => {
                let project = store.project(issue.project).map(|project| project.spec.key.clone());
                SortKey::Text(project.unwrap_or_default(), issue.number())
            }
            OrderField::Id => number(issue.id),
            OrderField::Created => SortKey::Number(issue.created.as_microsecond()),
            OrderField::Updated => SortKey::Number(issue.updated.as_microsecond()),
            OrderField::Resolved => {
                SortKey::Number(issue.resolution_date.map_or(i64::MIN, Timestamp::as_microsecond))
            }
            OrderField::Priority => {
                let priorities = &store.directory().priorities;
                let place = priorities.iter().position(|row| Some(row.id) == issue.priority);
                // The first one is the highest.
                SortKey::Number(place.map_or(i64::MIN, |place| -i64::try_from(place).unwrap_or(i64::MAX)))
            }
            OrderField::Status => {
                let place = store.directory().statuses.iter().position(|row| row.id == issue.status);
                SortKey::Number(place.map_or(i64::MAX, |place| i64::try_from(place).unwrap_or(i64::MAX)))
            }
            OrderField::Summary => SortKey::Text(issue.summary.to_lowercase(), 0),
        }
    }

    /// Compares in the direction of this order.
    pub fn compare(self, left: &SortKey, right: &SortKey) -> Ordering {
        let ordering = left.cmp(right);
        if self.descending { ordering.reverse() } else { ordering }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Pattern, instant};

    #[test]
    fn dates_and_periods_name_instants() {
        let now: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
        for (text, ago) in [
            ("-4d", 4 * 24 * 60),
            ("-1w 2h", 7 * 24 * 60 + 120),
            ("-90", 90),
            ("2026-01-14", 24 * 60),
            ("2026/01/14 23:30", 30),
            ("+30m", -30),
        ] {
            let wanted = now - SignedDuration::from_mins(ago);
            assert_eq!(instant(text, now), Some(wanted), "{text}");
        }
        for text in [
            "",
            "-",
            "soon",
            "4x",
            "2026-13-01",
            "2026-01-14 25:00",
            "-99999999999999999999d",
            "9999999999999999y",
        ] {
            assert_eq!(instant(text, now), None, "{text}");
        }
    }

    #[test]
    fn words_are_found_in_texts() {
        for (pattern, text, is_there) in [
            ("cookie", "A Cookie without Secure", true),
            ("cook", "A cookie", false),
            ("cook*", "A cookie", true),
            ("secure cookie", "cookie, secure", true),
            ("\"secure cookie\"", "cookie, secure", false),
            ("\"secure cookie\"", "a secure cookie", true),
            ("", "anything", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), is_there, "{pattern} in {text}");
        }
    }
}
