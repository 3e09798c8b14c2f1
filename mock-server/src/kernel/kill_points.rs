//! Kill points: a watcher learns, while the request waits, that it was seen or applied.
//!
//! These are the only two moments of a request that can be told apart from outside: before it takes effect,
//! and after it took effect but before its reply leaves. Whoever watches can end a process at exactly one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Read and assigned, not yet applied.
    Seen,
    /// Applied, its reply not yet sent.
    Applied,
}

/// A request that waits at a point until this value is dropped.
#[derive(Debug)]
#[must_use = "the request waits until this value is dropped; bind it for as long as it shall wait"]
pub struct Waiting {
    /// Number of the request in the sandbox's journal.
    pub seq: u64,
    /// Its operation as the journal names it.
    pub operation: SmolStr,
    /// How far it has come.
    pub point: Point,
    _release: oneshot::Sender<()>,
}

/// Learns of every request of a sandbox at both points.
#[derive(Debug)]
pub struct Watcher {
    moments: mpsc::UnboundedReceiver<Waiting>,
}

impl Watcher {
    /// The next request at a point; `None` once the sandbox is gone. Requests wait in turn, so a watcher
    /// that is kept but not asked stops the sandbox.
    pub async fn next(&mut self) -> Option<Waiting> {
        self.moments.recv().await
    }
}

/// The watchers of one sandbox.
#[derive(Debug, Default)]
pub struct KillPoints {
    watched: AtomicBool,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Waiting>>>,
}

impl KillPoints {
    /// Adds a watcher.
    pub fn watch(&self) -> Watcher {
        let (sender, moments) = mpsc::unbounded_channel();
        self.lock().push(sender);
        self.watched.store(true, Ordering::Release);
        Watcher { moments }
    }

    /// Tells every watcher, one after the other, and returns when all of them have let go.
    pub async fn reach(&self, seq: u64, operation: &SmolStr, point: Point) {
        if !self.watched.load(Ordering::Acquire) {
            return;
        }
        let watchers = self.lock().clone();
        for watcher in watchers {
            let (release, released) = oneshot::channel();
            let waiting = Waiting { seq, operation: operation.clone(), point, _release: release };
            if watcher.send(waiting).is_ok() {
                // Dropping the sender is the release; nothing is ever sent.
                let _ = released.await;
            }
        }
        let mut watchers = self.lock();
        watchers.retain(|watcher| !watcher.is_closed());
        self.watched.store(!watchers.is_empty(), Ordering::Release);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<mpsc::UnboundedSender<Waiting>>> {
        self.watchers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{KillPoints, Point};

    #[tokio::test]
    async fn a_request_waits_until_the_watcher_lets_go() {
        let points = Arc::new(KillPoints::default());
        points.reach(1, &"GET x".into(), Point::Seen).await;
        let mut watcher = points.watch();
        let request = tokio::spawn({
            let points = Arc::clone(&points);
            async move { points.reach(2, &"GET x".into(), Point::Applied).await }
        });
        let waiting = watcher.next().await.unwrap();
        assert_eq!((waiting.seq, waiting.point), (2, Point::Applied));
        tokio::task::yield_now().await;
        assert!(!request.is_finished());
        drop(waiting);
        request.await.unwrap();
        drop(watcher);
        points.reach(3, &"GET x".into(), Point::Seen).await;
    }
}
