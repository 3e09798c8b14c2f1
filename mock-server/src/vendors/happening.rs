//! What happens at a vendor without a client: the form that all vendors' events share.

use fixtures::world::Event;
use jiff::Timestamp;
use serde::Serialize;

use crate::vendors::{data_theorem, jira, mend};
use crate::world::World;

/// Something that can happen in a world.
pub trait Happening {
    /// What it changed.
    type Effects;

    /// Lets it happen at `now`. What can't happen changes nothing.
    fn happen(&self, world: &mut World, now: Timestamp) -> Result<Self::Effects, EventError>;
}

/// What an event of any vendor changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Effects {
    /// At Data Theorem.
    DataTheorem(data_theorem::events::Effects),
    /// At Mend.
    Mend(mend::events::Effects),
    /// At Jira.
    Jira(jira::events::Effects),
}

impl Happening for Event {
    type Effects = Effects;

    fn happen(&self, world: &mut World, now: Timestamp) -> Result<Effects, EventError> {
        match self {
            Self::DataTheorem(event) => event.happen(world, now).map(Effects::DataTheorem),
            Self::Mend(event) => event.happen(world, now).map(Effects::Mend),
            Self::Jira(event) => event.happen(world, now).map(Effects::Jira),
        }
    }
}

/// An event that can't happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It refers to something that does not exist.
    #[error("there is no {kind} {id:?}")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// The id given.
        id: String,
    },
    /// It creates something that exists.
    #[error("there is a {kind} {id:?} already")]
    Exists {
        /// What kind of thing.
        kind: &'static str,
        /// The id given.
        id: String,
    },
    /// It would leave the world incoherent.
    #[error("{0}")]
    Incoherent(String),
}
