//! Which status changes a client may ask for, and what a scan does to a status.

use fixtures::spec::data_theorem as ledger;
use fixtures::world::data_theorem::TargetStatus;

use crate::http::reject::Refusal;
use crate::vendors::data_theorem::readings::{
    CloseWhenClosed, ManualCloseToOther, OpenOnNew, Readings, ReopenNotManual, ReopenPermanentlyClosed,
    SeenAgainAfterFixed, SeenAgainPermanentlyClosed,
};

/// Whether a client may change a target from `current` to `wanted`, one of the four accepted values.
pub fn manual_change(
    current: TargetStatus,
    wanted: TargetStatus,
    permanently_closed: bool,
    readings: &Readings,
) -> Result<(), Refusal> {
    if current == wanted {
        let reason = format!("the target is {current} already");
        return Err(Refusal::rule(409, &ledger::DT_TARGET_STATUS_SAME, reason));
    }
    // The arms follow the documents' table: open or closed now, open or closed wanted.
    #[expect(clippy::match_same_arms, reason = "one arm per row of the table reads better than merged ones")]
    match (current.is_closed(), wanted.is_closed()) {
        (false, true) => Ok(()),
        (false, false) => match readings.open_on_new {
            OpenOnNew::Allowed => Ok(()),
            OpenOnNew::Conflict => {
                let reason = format!("the target is {current}, which is open already");
                Err(Refusal::reading(409, &ledger::DT_OPEN_ON_NEW, reason))
            }
        },
        (true, true) => {
            let status = match readings.manual_close_to_other {
                ManualCloseToOther::Allowed => return Ok(()),
                ManualCloseToOther::Conflict => 409,
                ManualCloseToOther::BadRequest => 400,
            };
            let reason = format!("the target is {current}; reopen it before closing it as {wanted}");
            Err(Refusal::reading(status, &ledger::DT_MANUAL_CLOSE_TO_OTHER, reason))
        }
        (true, false) if !current.is_manual_close() => {
            let status = match readings.reopen_not_manual {
                ReopenNotManual::Allowed => return Ok(()),
                ReopenNotManual::Conflict => 409,
                ReopenNotManual::BadRequest => 400,
            };
            let reason = format!("the target is {current}; only manually closed targets can be reopened");
            Err(Refusal::reading(status, &ledger::DT_REOPEN_NOT_MANUAL, reason))
        }
        (true, false)
            if permanently_closed
                && readings.reopen_permanently_closed == ReopenPermanentlyClosed::Conflict =>
        {
            let reason = "the target's finding is permanently closed";
            Err(Refusal::reading(409, &ledger::DT_REOPEN_PERMANENTLY_CLOSED, reason))
        }
        (true, false) => Ok(()),
    }
}

/// Whether a client may close a finding in this status.
pub fn close_finding(current: TargetStatus, readings: &Readings) -> Result<(), Refusal> {
    if !current.is_closed() {
        return Ok(());
    }
    let status = match readings.close_when_closed {
        CloseWhenClosed::Conflict => 409,
        CloseWhenClosed::BadRequest => 400,
    };
    Err(Refusal::rule(status, &ledger::DT_FINDING_CLOSE_OPEN, format!("the finding is {current} already")))
}

/// The status a target gets when a scan sees it; `None`: it keeps the one it has.
pub fn seen_by_scan(
    current: TargetStatus,
    permanently_closed: bool,
    readings: &Readings,
) -> Option<TargetStatus> {
    match current {
        current
            if current.is_closed()
                && permanently_closed
                && readings.seen_again_permanently_closed == SeenAgainPermanentlyClosed::StaysClosed =>
        {
            None
        }
        TargetStatus::New | TargetStatus::OpenReadyToRescan => Some(TargetStatus::Open),
        TargetStatus::ClosedFixed | TargetStatus::ClosedPartiallyFixed | TargetStatus::ClosedItemNotFound => {
            Some(match readings.seen_again_after_fixed {
                SeenAgainAfterFixed::Open => TargetStatus::Open,
                SeenAgainAfterFixed::New => TargetStatus::New,
            })
        }
        // A person or a policy decided; a scan does not overrule them.
        TargetStatus::Open
        | TargetStatus::ClosedWontFix
        | TargetStatus::ClosedRiskAccepted
        | TargetStatus::ClosedCompensatingControl
        | TargetStatus::ClosedByPolicy => None,
    }
}

/// The status a target gets when a scan looked for it in vain; `None`: it keeps the one it has.
pub fn missed_by_scan(current: TargetStatus) -> Option<TargetStatus> {
    (!current.is_closed()).then_some(TargetStatus::ClosedFixed)
}

#[cfg(test)]
mod tests {
    use fixtures::world::data_theorem::TargetStatus;

    use super::{manual_change, missed_by_scan, seen_by_scan};
    use crate::vendors::data_theorem::readings::{ManualCloseToOther, OpenOnNew, Readings, ReopenNotManual};

    const ACCEPTED: [TargetStatus; 4] = [
        TargetStatus::ClosedWontFix,
        TargetStatus::ClosedRiskAccepted,
        TargetStatus::ClosedCompensatingControl,
        TargetStatus::Open,
    ];

    #[test]
    fn every_pair_of_statuses_is_decided() {
        for current in TargetStatus::ALL {
            for wanted in ACCEPTED {
                let answer = manual_change(*current, wanted, false, &Readings::default());
                let rule = answer.as_ref().err().map(|refusal| refusal.because.id().to_string());
                let expected = if *current == wanted {
                    Some("DT-TARGET-STATUS-SAME")
                } else if !current.is_closed() && wanted.is_closed() {
                    None
                } else if !current.is_closed() {
                    Some("dt.open-on-new")
                } else if wanted.is_closed() {
                    Some("dt.manual-close-to-other")
                } else if current.is_manual_close() {
                    None
                } else {
                    Some("dt.reopen-not-manual")
                };
                assert_eq!(rule.as_deref(), expected, "{current} to {wanted}");
                if let Err(refusal) = answer {
                    assert_eq!(refusal.status, 409, "{current} to {wanted}");
                }
            }
        }
    }

    #[test]
    fn readings_move_the_borders_but_never_the_documented_one() {
        let lenient = Readings {
            open_on_new: OpenOnNew::Allowed,
            manual_close_to_other: ManualCloseToOther::Allowed,
            reopen_not_manual: ReopenNotManual::Allowed,
            ..Readings::default()
        };
        for current in TargetStatus::ALL {
            for wanted in ACCEPTED {
                let refused = manual_change(*current, wanted, false, &lenient).is_err();
                assert_eq!(refused, *current == wanted, "{current} to {wanted}");
            }
        }
    }

    #[test]
    fn a_permanent_close_is_not_reopened() {
        let answer =
            manual_change(TargetStatus::ClosedWontFix, TargetStatus::Open, true, &Readings::default());
        assert_eq!(answer.unwrap_err().because.id(), "dt.reopen-permanently-closed");
    }

    #[test]
    fn scans_respect_people() {
        for status in TargetStatus::ALL {
            if status.is_manual_close() || *status == TargetStatus::ClosedByPolicy {
                assert_eq!(seen_by_scan(*status, false, &Readings::default()), None);
            }
            assert_eq!(missed_by_scan(*status).is_some(), !status.is_closed());
        }
        assert_eq!(seen_by_scan(TargetStatus::New, false, &Readings::default()), Some(TargetStatus::Open));
        assert_eq!(
            seen_by_scan(TargetStatus::ClosedFixed, false, &Readings::default()),
            Some(TargetStatus::Open)
        );
        assert_eq!(seen_by_scan(TargetStatus::ClosedFixed, true, &Readings::default()), None);
    }
}
