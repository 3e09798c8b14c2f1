//! How a run ended, as the process tells it.

use std::process::ExitCode;

/// An outcome with a stable exit code. More codes are reserved for the sync; see the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done: 0.
    Done,
    /// The settings or the command line are not usable: 2.
    Configuration,
    /// A credential was refused: 3.
    Credentials,
    /// Something named in the output failed: 4.
    Partial,
    /// More closings than the brake allows wait for a person's word: 5.
    MassChange,
    /// Another run holds the ledger: 6.
    Locked,
    /// It is not known whether some tickets were made: 7.
    InDoubt,
}

impl Exit {
    /// The number the process exits with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Configuration => 2,
            Self::Credentials => 3,
            Self::Partial => 4,
            Self::MassChange => 5,
            Self::Locked => 6,
            Self::InDoubt => 7,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
