//! The binary: parse, call, exit.

use std::process::ExitCode;

use clap::Parser as _;
use contract_tests::cli::Cli;

fn main() -> ExitCode {
    contract_tests::cli::run(&Cli::parse()).into()
}
