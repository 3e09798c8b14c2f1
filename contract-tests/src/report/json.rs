//! The report as JSON, for scripts.

use std::io::{self, Write};

use super::Report;

/// Writes the report, indented.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
    writeln!(out)
}
