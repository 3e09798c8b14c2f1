//! How often was asked lately: the site's token buckets.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fixtures::world::jira::RateSpec;
use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

/// What a limit counts by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Requests of one method to one endpoint.
    Endpoint(SmolStr),
    /// Writes to one issue.
    Issue(u64),
}

/// One bucket per scope that was used lately.
#[derive(Debug, Default)]
pub struct Pacing {
    buckets: Mutex<BTreeMap<Scope, Bucket>>,
}

/// What is left of a limit. A request costs as many units as the limit has milliseconds, and each millisecond brings as
/// many as it has requests, so nothing is lost to rounding.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    rate: RateSpec,
    left: u64,
    at: Timestamp,
}

/// Buckets beyond this number are looked through for full ones.
const BUCKETS_MAX: usize = 4_096;

impl Pacing {
    /// Takes one request of a scope, or says how long until there is one.
    pub fn take(&self, scope: Scope, rate: RateSpec, now: Timestamp) -> Result<(), SignedDuration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| bucket.refilled(bucket.rate, now).left < full(bucket.rate));
        }
        let bucket = buckets.entry(scope).or_insert(Bucket { rate, left: full(rate), at: now });
        *bucket = Bucket { rate, ..bucket.refilled(rate, now) };
        match bucket.left.checked_sub(rate.per_ms) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => {
                let wait = (rate.per_ms - bucket.left).div_ceil(u64::from(rate.requests.max(1)));
                Err(SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX)))
            }
        }
    }
}

fn full(rate: RateSpec) -> u64 {
    u64::from(rate.requests).saturating_mul(rate.per_ms)
}

impl Bucket {
    /// The bucket with what ran in since. A clock that went back fills nothing and starts anew.
    fn refilled(self, rate: RateSpec, now: Timestamp) -> Self {
        let passed = now.duration_since(self.at).as_millis();
        if passed == 0 {
            return self;
        }
        let gained = u64::try_from(passed).unwrap_or(0).saturating_mul(u64::from(rate.requests));
        Self { rate, left: self.left.saturating_add(gained).min(full(rate)), at: now }
    }
}

#[cfg(test)]
mod tests {
    use fixtures::world::jira::RateSpec;
    use jiff::SignedDuration;

    use super::{Pacing, Scope};
    use crate::kernel::clock::manual_epoch;

    #[test]
    fn a_bucket_runs_dry_and_fills_again() {
        let (pacing, rate) = (Pacing::default(), RateSpec { requests: 2, per_ms: 1_000 });
        let take = |after_ms: i64| {
            let now = manual_epoch().checked_add(SignedDuration::from_millis(after_ms)).unwrap();
            pacing.take(Scope::Issue(1), rate, now)
        };
        assert_eq!((take(0), take(0)), (Ok(()), Ok(())));
        assert_eq!(take(0), Err(SignedDuration::from_millis(500)));
        assert_eq!(take(400), Err(SignedDuration::from_millis(100)));
        assert_eq!(take(500), Ok(()));
        assert!(take(500).is_err());
        assert_eq!(pacing.take(Scope::Issue(2), rate, manual_epoch()), Ok(()));
        assert_eq!(take(-60_000), Err(SignedDuration::from_millis(500)));
        assert_eq!(take(10_000), Ok(()));
    }
}
