//! What a history is made of.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::blows::Blow;

/// One thing that happens. Numbers choose among what there is at that moment; what can't happen then is left out.
#[derive(Debug, Clone)]
pub(super) enum Step {
    DataTheorem(AtDataTheorem),
    Mend(AtMend),
    Person(Edit, u8),
    /// Time passes, in seconds.
    Wait(i64),
    /// The client runs, and this goes wrong at boundaries of the run.
    Run {
        is_full: bool,
        blows: Vec<(usize, Blow)>,
    },
    /// The client's ledger is deleted.
    LoseLedger,
}

/// What happens at Data Theorem. Bits of a `u8` choose targets.
#[derive(Debug, Clone)]
pub(super) enum AtDataTheorem {
    Scan {
        app: u8,
        seen: u8,
        missed: u8,
    },
    FindingAdded {
        app: u8,
        targets: u8,
    },
    Status {
        target: u8,
        status: u8,
    },
    /// A person sets a target's ticket in the portal: one of another tracker.
    SetTicket {
        target: u8,
        number: u8,
    },
    /// A person takes a target's ticket away.
    ClearTicket {
        target: u8,
    },
    AppRemoved {
        app: u8,
    },
}

/// What happens at Mend. Bits of a `u8` choose libraries.
#[derive(Debug, Clone)]
pub(super) enum AtMend {
    Scan { project: u8, added: u8, removed: u8 },
    Published { library: u8, number: u8 },
    Rescored { is_high: bool },
    Licenses { library: u8, is_copyleft: bool },
    Policy { policy: u8, is_enabled: bool },
    ProjectRenamed { project: u8 },
    ProjectDeleted { project: u8 },
}

/// What a person does to a ticket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit {
    Close,
    Reopen,
    Comment,
    Title,
    AddLabel,
    RemoveLabel,
    Delete,
    Move,
    Hide,
    Show,
}

/// Histories. A ledger is deleted only where the tracker keeps second tickets out.
pub(super) fn histories(has_key: bool) -> impl Strategy<Value = Vec<Step>> {
    let ledger = u32::from(has_key);
    let step = prop_oneof![
        7 => data_theorem().prop_map(Step::DataTheorem),
        6 => mend().prop_map(Step::Mend),
        6 => (edits(), any::<u8>()).prop_map(|(edit, ticket)| Step::Person(edit, ticket)),
        2 => select(vec![1, 60, 3_600, 90_000]).prop_map(Step::Wait),
        8 => runs(),
        ledger => Just(Step::LoseLedger),
    ];
    vec(step, 3..14)
}

fn runs() -> impl Strategy<Value = Step> {
    let blow = (0..45_usize, select(Blow::ALL.to_vec()));
    let blows = prop_oneof![2 => Just(Vec::new()), 4 => vec(blow, 1..4)];
    (any::<bool>(), blows).prop_map(|(is_full, blows)| Step::Run { is_full, blows })
}

fn data_theorem() -> impl Strategy<Value = AtDataTheorem> {
    let byte = any::<u8>;
    prop_oneof![
        6 => (byte(), byte(), byte()).prop_map(|(app, seen, missed)| AtDataTheorem::Scan { app, seen, missed }),
        1 => (byte(), byte()).prop_map(|(app, targets)| AtDataTheorem::FindingAdded { app, targets }),
        4 => (byte(), byte()).prop_map(|(target, status)| AtDataTheorem::Status { target, status }),
        1 => (byte(), byte()).prop_map(|(target, number)| AtDataTheorem::SetTicket { target, number }),
        1 => byte().prop_map(|target| AtDataTheorem::ClearTicket { target }),
        1 => byte().prop_map(|app| AtDataTheorem::AppRemoved { app }),
    ]
}

fn mend() -> impl Strategy<Value = AtMend> {
    let byte = any::<u8>;
    prop_oneof![
        6 => (byte(), byte(), byte())
            .prop_map(|(project, added, removed)| AtMend::Scan { project, added, removed }),
        1 => (byte(), byte()).prop_map(|(library, number)| AtMend::Published { library, number }),
        1 => any::<bool>().prop_map(|is_high| AtMend::Rescored { is_high }),
        2 => (byte(), any::<bool>())
            .prop_map(|(library, is_copyleft)| AtMend::Licenses { library, is_copyleft }),
        2 => (byte(), any::<bool>()).prop_map(|(policy, is_enabled)| AtMend::Policy { policy, is_enabled }),
        1 => byte().prop_map(|project| AtMend::ProjectRenamed { project }),
        1 => byte().prop_map(|project| AtMend::ProjectDeleted { project }),
    ]
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => Just(Edit::Close),
        3 => Just(Edit::Reopen),
        1 => Just(Edit::Comment),
        1 => Just(Edit::Title),
        1 => Just(Edit::AddLabel),
        1 => Just(Edit::RemoveLabel),
        1 => Just(Edit::Delete),
        2 => Just(Edit::Move),
        1 => Just(Edit::Hide),
        1 => Just(Edit::Show),
    ]
}
