//! The log on stderr: where nobody watches, or who watches wants it.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::{Lookup, output};

/// Starts the log. On a terminal there is none unless it is asked for, since progress is shown there.
///
/// Only this program's own lines, whatever `RUST_LOG` says: libraries may log what they send, credentials included.
pub(super) fn start(verbose: u8, lookup: Lookup<'_>) {
    let is_terminal = io::stderr().is_terminal();
    let level = match (verbose, is_terminal) {
        (0, true) => return,
        (0, false) => "info",
        (1, _) => "debug",
        (2.., _) => "trace",
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("sync_client={level}")))
        .with_writer(io::stderr)
        .with_ansi(is_terminal && output::allows_colour(lookup));
    // There is one already where the command line is run more than once in a process, as tests do.
    let _ = log.try_init();
}
