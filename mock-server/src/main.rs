//! The binary: parse, call, exit.

use std::process::ExitCode;

use clap::Parser as _;
use mock_server::cli::Cli;

fn main() -> ExitCode {
    mock_server::cli::run(Cli::parse())
}
