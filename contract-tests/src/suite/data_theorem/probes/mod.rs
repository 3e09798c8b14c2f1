//! Which value of each reading a target shows, a file per file of the ledger's readings.
//!
//! A probe convicts nobody, and it does not guess: what fits no value, or two of them, is not exercised.

pub(super) mod effect;
pub(super) mod reply;
pub(super) mod request;
mod subject;

use super::client::list_in;
use crate::suite::check::{Stop, not_exercised, unclear};
use crate::target::exchange::{Evidence, Reply};

/// An id that nothing has: the greatest of 64 bits, while the vendor's have 16 digits at most.
const UNKNOWN_ID: &str = "9223372036854775807";

/// What a probe tells.
type Shown = Result<&'static str, Stop>;

/// A reply and the exchange that it came in.
type Answer = (Reply, Evidence);

/// The value that everything looked at shows.
fn unanimous(of_what: &str, shown: impl IntoIterator<Item = Shown>) -> Shown {
    let mut agreed = None;
    for one in shown {
        let value = one?;
        match agreed {
            Some(before) if before != value => {
                return not_exercised(format!("{of_what} shows both {before} and {value}"));
            }
            _ => agreed = Some(value),
        }
    }
    agreed.ok_or_else(|| Stop::NotExercised(format!("no {of_what} was seen")))
}

/// The value that a reply's status stands for.
fn by_status((reply, evidence): &Answer, values: &[(u16, &'static str)]) -> Shown {
    match values.iter().find(|(status, _)| *status == reply.status) {
        Some((_, value)) => Ok(value),
        None => no_value_fits(evidence),
    }
}

/// What an account says fits no value.
fn fits_none(seen: impl std::fmt::Display) -> Shown {
    unclear("what was seen fits no value", seen)
}

/// A reply's status, or how it answers a request, fits no value.
fn no_value_fits(evidence: &Evidence) -> Shown {
    not_exercised(format!("this fits no value: {evidence}"))
}

/// Whether a request was refused for what it says, under either value of the reading about that status.
fn is_refused(reply: &Reply) -> bool {
    matches!(reply.status, 400 | 422)
}

/// The ids in the reply to a list, if it is one.
fn listed(resource: &str, reply: &Reply) -> Option<Vec<String>> {
    let json = reply.json().filter(|_| reply.status == 200)?;
    let rows = list_in(resource, &json)?;
    Some(rows.iter().map(|row| row["id"].to_string()).collect())
}
