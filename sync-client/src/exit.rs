//! How a run ended, as the process tells it.

use std::process::ExitCode;

/// An outcome with a stable exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything due was handled: 0.
    Done,
    /// The settings or the command line are not usable: 2.
    Configuration,
    /// A credential was refused: 3.
    Credentials,
    /// Something named in the output failed: 4.
    Partial,
    /// The mass-change brake stopped the run before it closed more tickets than is believable (I6): 5.
    MassChange,
    /// Another run holds the ledger (I13): 6.
    Locked,
    /// Tickets wait of which it is not known whether they were made; a later run finds out: 7.
    InDoubt,
}

impl Exit {
    /// Every outcome, by code.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Configuration,
        Self::Credentials,
        Self::Partial,
        Self::MassChange,
        Self::Locked,
        Self::InDoubt,
    ];

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

    /// What the code means, for `--help`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "everything due was handled",
            Self::Configuration => "settings or command line are not usable; nothing was sent",
            Self::Credentials => "a credential was refused",
            Self::Partial => "something failed that the output names; the rest was done",
            Self::MassChange => {
                "stopped: it would close more tickets than is believable (--allow-mass-change)"
            }
            Self::Locked => "another run holds the ledger",
            Self::InDoubt => "tickets wait of which it is not known whether they were made; run again later",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn every_outcome_has_a_code_of_its_own() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 2, 3, 4, 5, 6, 7]);
    }
}
