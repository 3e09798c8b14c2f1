//! How far each list was read.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Ledger, LedgerError};
use crate::core::model::{ScopeId, Source};

/// How far a list was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Everything up to here was handled, by the vendor's clock.
    pub mark: Option<Timestamp>,
    /// When it was last read as a whole.
    pub full_at: Option<Timestamp>,
    /// Whether something in it failed, or waits for another look.
    pub is_due: bool,
}

impl Ledger {
    /// How far a list was read; nothing of it if it is new.
    pub fn scope(&self, id: &ScopeId) -> Result<Scope, LedgerError> {
        let row = self
            .connection
            .prepare_cached("SELECT mark, full_at, is_due FROM scope WHERE id = ?1")?
            .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((mark, full_at, is_due)) = row else { return Ok(Scope::default()) };
        Ok(Scope { mark: timestamp(mark)?, full_at: timestamp(full_at)?, is_due })
    }

    /// A list was handled up to `mark`; `full_at`: as a whole, at that time.
    pub fn handled(
        &mut self,
        id: &ScopeId,
        source: Source,
        mark: Option<Timestamp>,
        full_at: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let known = self.scope(id)?;
        // Most lists have nothing new in most runs, and what is known needs no write.
        let (mark, full_at) = (mark.or(known.mark), full_at.or(known.full_at));
        if known == (Scope { mark, full_at, is_due: false }) {
            return Ok(());
        }
        let (mark, full_at) = (mark.map(|at| at.to_string()), full_at.map(|at| at.to_string()));
        self.write(|write| {
            write
                .prepare_cached(
                    "INSERT INTO scope (id, source, mark, full_at, is_due) VALUES (?1, ?2, ?3, ?4, 0)
                     ON CONFLICT (id) DO UPDATE SET mark = ?3, full_at = ?4, is_due = 0",
                )?
                .execute(params![id.as_str(), source.as_str(), mark, full_at])
        })?;
        Ok(())
    }

    /// Something in a list failed: the next run looks at it again, from the same mark.
    pub fn due_again(&mut self, id: &ScopeId, source: Source) -> Result<(), LedgerError> {
        self.write(|write| {
            write
                .prepare_cached(
                    "INSERT INTO scope (id, source, is_due) VALUES (?1, ?2, 1)
                     ON CONFLICT (id) DO UPDATE SET is_due = 1",
                )?
                .execute(params![id.as_str(), source.as_str()])
        })?;
        Ok(())
    }

    /// The lists of a vendor in which something waits.
    pub fn due_scopes(&self, source: Source) -> Result<Vec<ScopeId>, LedgerError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM scope WHERE source = ?1 AND is_due = 1 ORDER BY id")?;
        let ids = statement.query_map([source.as_str()], |row| row.get::<_, String>(0))?;
        Ok(ids.map(|id| id.map(ScopeId::new)).collect::<Result<_, _>>()?)
    }
}

/// A time in the ledger.
pub(super) fn timestamp(text: Option<String>) -> Result<Option<Timestamp>, LedgerError> {
    text.map(|text| text.parse().map_err(|_| LedgerError::Nonsense(text))).transpose()
}
