//! Faults that take time, in virtual time.

use std::time::Duration;

use mock_server::kernel::faults::{Effect, Fault, Matcher, When};
use mock_server::kernel::journal::Filter;
use tokio::io::AsyncReadExt as _;

use super::sockets::{BOTH, assert_applied, connect, server_with};
use super::{api_with, last_entry, patch_raw, was_applied};

#[tokio::test(start_paused = true)]
async fn a_hang_never_answers_and_applies_the_request_or_not_as_planned() {
    for when in [When::BeforeApply, When::AfterApply] {
        let matcher = Matcher { times: 1, ..Matcher::default() };
        let api = api_with(Fault { matcher, when, effect: Effect::Hang });
        let waited = tokio::time::timeout(Duration::from_hours(1), patch_raw(&api)).await;
        assert!(waited.is_err(), "an hour later there is still no answer");
        assert_eq!(was_applied(&api), when == When::AfterApply);
        let entry = last_entry(&api);
        assert_eq!((entry.status, entry.fault, entry.phases.replied), (None, Some(1), false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_in_virtual_time_before_or_after_the_request_is_applied() {
    for when in [When::BeforeApply, When::AfterApply] {
        let matcher = Matcher { times: 1, ..Matcher::default() };
        let api = api_with(Fault { matcher, when, effect: Effect::Delay { ms: 90_000 } });
        let begun = tokio::time::Instant::now();
        let sent = patch_raw(&api);
        tokio::pin!(sent);
        let early = tokio::time::timeout(Duration::from_secs(89), &mut sent).await;
        assert!(early.is_err(), "it takes ninety seconds");
        assert_eq!(was_applied(&api), when == When::AfterApply, "after eighty-nine seconds");
        assert_eq!(sent.await.status(), 200);
        assert_eq!(begun.elapsed().as_secs(), 90);
        assert!(was_applied(&api));
        assert_eq!(last_entry(&api).status, Some(200));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_keeps_the_connection_open_without_a_byte() {
    for when in BOTH {
        let server = server_with(when, Effect::Hang).await;
        let mut stream = connect(&server).await;
        let page = server.control().wait_for_journal(&Filter::default(), Duration::from_mins(10)).await;
        assert_eq!(page.entries.len(), 1);
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_hours(1), stream.read(&mut byte)).await;
        assert!(read.is_err(), "neither a byte nor an end: {read:?}");
        assert_applied(&server, when == When::AfterApply);
    }
}
