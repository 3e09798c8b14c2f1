//! A finding's status follows from its targets (`DT-FINDING-AGGREGATED-STATUS`).

use fixtures::world::data_theorem::TargetStatus;

use crate::vendors::data_theorem::readings::{AggregatedNew, AggregatedRescan, Readings};
use crate::vendors::data_theorem::store::Tally;

/// The status of a finding whose targets stand like this. A finding has at least one target.
pub fn aggregated_status(tally: &Tally, readings: &Readings) -> TargetStatus {
    let others = tally.open + tally.ready_to_rescan;
    match readings.aggregated_new {
        AggregatedNew::AllNew if tally.new > 0 && others == 0 => TargetStatus::New,
        AggregatedNew::AnyNew if tally.new > 0 => TargetStatus::New,
        _ if tally.open == 0
            && tally.new == 0
            && tally.ready_to_rescan > 0
            && readings.aggregated_rescan == AggregatedRescan::Verbatim =>
        {
            TargetStatus::OpenReadyToRescan
        }
        _ if tally.any_open() => TargetStatus::Open,
        _ => tally.last_closed_as.unwrap_or(TargetStatus::ClosedItemNotFound),
    }
}

#[cfg(test)]
mod tests {
    use fixtures::world::data_theorem::TargetStatus;

    use super::aggregated_status;
    use crate::vendors::data_theorem::readings::{AggregatedNew, AggregatedRescan, Readings};
    use crate::vendors::data_theorem::store::Tally;

    const CLOSED: Option<TargetStatus> = Some(TargetStatus::ClosedFixed);

    #[test]
    fn open_targets_decide_before_closed_ones() {
        let status = |new, open, ready_to_rescan| {
            aggregated_status(
                &Tally { new, open, ready_to_rescan, last_closed_as: CLOSED },
                &Readings::default(),
            )
        };
        assert_eq!(status(2, 0, 0), TargetStatus::New);
        assert_eq!(status(1, 1, 0), TargetStatus::Open);
        assert_eq!(status(1, 0, 1), TargetStatus::Open);
        assert_eq!(status(0, 0, 1), TargetStatus::Open);
        assert_eq!(status(0, 0, 0), TargetStatus::ClosedFixed);
    }

    #[test]
    fn other_readings_decide_otherwise() {
        let any = Readings { aggregated_new: AggregatedNew::AnyNew, ..Readings::default() };
        let mixed = Tally { new: 1, open: 1, ready_to_rescan: 0, last_closed_as: None };
        assert_eq!(aggregated_status(&mixed, &any), TargetStatus::New);
        let verbatim = Readings { aggregated_rescan: AggregatedRescan::Verbatim, ..Readings::default() };
        let waiting = Tally { new: 0, open: 0, ready_to_rescan: 1, last_closed_as: None };
        assert_eq!(aggregated_status(&waiting, &verbatim), TargetStatus::OpenReadyToRescan);
    }
}
