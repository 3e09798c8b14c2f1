//! The binary: parse, call, exit.

use std::process::ExitCode;

use clap::Parser as _;
use sync_client::cli::Cli;

fn main() -> ExitCode {
    sync_client::cli::run(&Cli::parse(), |name| std::env::var_os(name)).into()
}
