//! Rows of a list, each with the exchange it came in.

use std::sync::OnceLock;

use serde_json::Value;

use super::check::{Held, Stop, Verdict, broken_at};
use super::shape::{Shape, brief};
use crate::target::exchange::Evidence;

/// An object that a target answered.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was answered.
    pub json: Value,
    /// In which exchange.
    pub evidence: Evidence,
}

/// Objects of one kind.
#[derive(Debug, Clone)]
pub struct Rows {
    /// What each is, with its article: `a finding`.
    pub what: &'static str,
    /// The objects.
    pub rows: Vec<Row>,
    /// Whether these are all there are, as far as the target tells.
    pub is_complete: bool,
}

/// Rows that the first check that asks gets for all that ask later.
#[derive(Default)]
pub struct SharedRows(OnceLock<Result<Rows, Stop>>);

impl SharedRows {
    /// What was got, or is now.
    pub fn get_or_ask(&self, ask: impl FnOnce() -> Result<Rows, Stop>) -> Result<&Rows, Stop> {
        self.0.get_or_init(ask).as_ref().map_err(Clone::clone)
    }
}

impl Row {
    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.json.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A member that is a list; none if it is absent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A member that is a timestamp.
    pub fn time(&self, name: &str) -> Option<jiff::Timestamp> {
        self.text(name)?.parse().ok()
    }
}

impl Rows {
    /// Every row has the member, in this form.
    pub fn each(&self, name: &str, shape: &Shape) -> Verdict {
        for row in &self.rows {
            match row.get(name) {
                Some(value) => self.fits(row, name, value, shape)?,
                None => {
                    return broken_at(
                        &row.evidence,
                        format!("{} has `{name}`: {shape}", self.what),
                        format!("no `{name}` in {}", brief(&row.json)),
                    );
                }
            }
        }
        Held::over(self.rows.len(), &format!("not {} was listed", self.what))
    }

    /// Where a row has the member, it has this form; at least one has it.
    pub fn each_present(&self, name: &str, shape: &Shape) -> Verdict {
        self.each_present_of(&[name], shape)
    }

    /// The same for a member that goes by one of several names.
    pub fn each_present_of(&self, names: &[&str], shape: &Shape) -> Verdict {
        let mut present = 0;
        for row in &self.rows {
            for name in names {
                if let Some(value) = row.get(name) {
                    present += 1;
                    self.fits(row, name, value, shape)?;
                }
            }
        }
        Held::over(present, &format!("not {} with `{}` was seen", self.what, names.join("` or `")))
    }

    /// The items of a list that rows have, as rows of their own.
    #[must_use]
    pub fn items_of(&self, name: &str, what: &'static str) -> Self {
        let items = self.rows.iter().flat_map(|row| {
            row.list(name).iter().map(|item| Row { json: item.clone(), evidence: row.evidence.clone() })
        });
        Self { what, rows: items.collect(), is_complete: self.is_complete }
    }

    /// Only the rows of which this is so.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Row) -> bool) -> Self {
        let rows = self.rows.iter().filter(|row| wanted(row)).cloned().collect();
        Self { what: self.what, rows, is_complete: self.is_complete }
    }

    /// Every row passes; the test returns what is wrong with one that does not. `expected` says what is right.
    pub fn all(&self, expected: &str, mut wrong: impl FnMut(&Row) -> Option<String>) -> Verdict {
        for row in &self.rows {
            if let Some(seen) = wrong(row) {
                return broken_at(&row.evidence, expected, seen);
            }
        }
        Held::over(self.rows.len(), &format!("not {} of the kind in question was seen", self.what))
    }

    /// The first row of which this is so, or the reason that there is none.
    pub fn find(&self, what: &str, wanted: impl Fn(&Row) -> bool) -> Result<&Row, Stop> {
        let found = self.rows.iter().find(|row| wanted(row));
        found.ok_or_else(|| Stop::NotExercised(format!("there is no {what}")))
    }

    fn fits(&self, row: &Row, name: &str, value: &Value, shape: &Shape) -> Result<(), Stop> {
        if shape.fits(value) {
            return Ok(());
        }
        broken_at(&row.evidence, format!("`{name}` of {} is {shape}", self.what), brief(value))
    }
}
