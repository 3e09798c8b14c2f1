//! What people do to tickets: `sync-client tickets` for those who use the file, and tests behind the client's back.

use rusqlite::params;

use super::{
    CLIENT, DONE, KEY_PREFIX, LocalError, LocalTracker, OPEN, Rows, check_label, check_text, check_title,
};
use crate::core::model::TicketKey;
use crate::ports::NewTicket;

/// A person before the tracker. People may do more than the client: they edit, move and delete. They see hidden
/// tickets, since it is them who hide them from the client.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    tracker: &'a LocalTracker,
    name: String,
}

impl<'a> Person<'a> {
    pub(super) fn new(tracker: &'a LocalTracker, name: String) -> Self {
        Self { tracker, name }
    }

    /// Makes a ticket of their own; the client's search never finds it.
    pub fn create(&self, title: &str) -> Result<TicketKey, LocalError> {
        check_title(title)?;
        let ticket = NewTicket {
            op: crate::core::model::OpKey::new(""),
            title: title.to_owned(),
            description: String::new(),
            labels: Vec::new(),
        };
        self.tracker.write(|rows, now_ms| rows.insert(&ticket, None, now_ms))
    }

    /// Gives a ticket another title.
    pub fn edit_title(&self, key: &TicketKey, title: &str) -> Result<(), LocalError> {
        check_title(title)?;
        self.edit(key, |rows, number| {
            rows.execute("UPDATE tickets SET title = ?2 WHERE number = ?1", params![number, title])
                .map(|_| ())
        })
    }

    /// Gives a ticket another description.
    pub fn edit_description(&self, key: &TicketKey, text: &str) -> Result<(), LocalError> {
        check_text("a description", text)?;
        self.edit(key, |rows, number| {
            let sql = "UPDATE tickets SET description = ?2 WHERE number = ?1";
            rows.execute(sql, params![number, text]).map(|_| ())
        })
    }

    /// Adds a label; nothing happens if it is there.
    pub fn add_label(&self, key: &TicketKey, label: &str) -> Result<(), LocalError> {
        check_label(label)?;
        self.edit(key, |rows, number| rows.label(number, label))
    }

    /// Takes a label away; nothing happens if it is not there.
    pub fn remove_label(&self, key: &TicketKey, label: &str) -> Result<(), LocalError> {
        self.edit(key, |rows, number| {
            let sql = "DELETE FROM labels WHERE ticket = ?1 AND label = ?2";
            rows.execute(sql, params![number, label]).map(|_| ())
        })
    }

    /// Adds a comment in their own name.
    pub fn comment(&self, key: &TicketKey, text: &str) -> Result<(), LocalError> {
        if self.name.trim().is_empty() || self.name == CLIENT {
            return Err(LocalError::Refused(format!("a person needs a name, and not {CLIENT}")));
        }
        self.tracker.write(|rows, now_ms| rows.comment(key, &self.name, text, now_ms))
    }

    /// Closes a ticket.
    pub fn close(&self, key: &TicketKey) -> Result<(), LocalError> {
        self.set_status(key, DONE, true)
    }

    /// Opens a ticket again.
    pub fn reopen(&self, key: &TicketKey) -> Result<(), LocalError> {
        self.set_status(key, OPEN, false)
    }

    /// Gives a ticket a status in their own words, e.g. `Won't fix`, and says whether that is done.
    pub fn set_status(&self, key: &TicketKey, status: &str, is_done: bool) -> Result<(), LocalError> {
        if status.trim().is_empty() {
            return Err(LocalError::Refused("a status needs a name".to_owned()));
        }
        self.tracker.write(|rows, now_ms| rows.set_status(key, status, is_done, now_ms))
    }

    /// Deletes a ticket for good; its key is never given again.
    pub fn delete(&self, key: &TicketKey) -> Result<(), LocalError> {
        self.tracker.write(|rows, _| {
            let number = rows.number(key)?;
            rows.execute("DELETE FROM tickets WHERE number = ?1", [number]).map(|_| ())
        })
    }

    /// Moves a ticket: from now on it has another key, and answers to its old ones too.
    pub fn move_to(&self, key: &TicketKey, new_key: &TicketKey) -> Result<(), LocalError> {
        self.edit(key, |rows, number| {
            let sql = "SELECT ticket FROM keys WHERE key = ?1";
            let owner: Option<i64> = rows.one(sql, [new_key.as_str()], |row| row.get(0))?;
            let is_its_own = owner == Some(number);
            if owner.is_some() && !is_its_own {
                return Err(LocalError::Refused(format!("{new_key} is another ticket's key")));
            }
            if new_key.as_str().starts_with(KEY_PREFIX) && !is_its_own {
                return Err(LocalError::Refused(format!("the tracker itself gives keys like {new_key}")));
            }
            rows.execute("UPDATE keys SET is_current = 0 WHERE ticket = ?1", [number])?;
            let sql = "INSERT INTO keys (key, ticket, is_current) VALUES (?1, ?2, 1)
                       ON CONFLICT (key) DO UPDATE SET is_current = 1";
            rows.execute(sql, params![new_key.as_str(), number]).map(|_| ())
        })
    }

    /// Hides a ticket from the client, as a lost permission does.
    pub fn hide(&self, key: &TicketKey) -> Result<(), LocalError> {
        self.set_hidden(key, true)
    }

    /// Shows a hidden ticket again.
    pub fn show(&self, key: &TicketKey) -> Result<(), LocalError> {
        self.set_hidden(key, false)
    }

    fn set_hidden(&self, key: &TicketKey, is_hidden: bool) -> Result<(), LocalError> {
        self.edit(key, |rows, number| {
            let sql = "UPDATE tickets SET is_hidden = ?2 WHERE number = ?1";
            rows.execute(sql, params![number, is_hidden]).map(|_| ())
        })
    }

    fn edit(
        &self,
        key: &TicketKey,
        work: impl FnOnce(&Rows<'_>, i64) -> Result<(), LocalError>,
    ) -> Result<(), LocalError> {
        self.tracker.write(|rows, now_ms| {
            let number = rows.number(key)?;
            work(rows, number)?;
            rows.touch(number, now_ms)
        })
    }
}
