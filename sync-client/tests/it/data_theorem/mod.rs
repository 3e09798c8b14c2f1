//! Data Theorem's adapter against the simulator.

mod faults;
mod lists;
mod oddities;
mod readings;
mod samples;

use mock_server::kernel::faults::{Effect, Fault, Matcher, When};
use sync_client::adapters::data_theorem::{App, DataTheorem, Finding, Page, Target};
use sync_client::ports::VendorError;

/// All rows of a list, in order.
fn rows<T>(pages: impl Iterator<Item = Result<Page<T>, VendorError>>) -> Result<Vec<T>, VendorError> {
    let pages: Vec<Page<T>> = pages.collect::<Result<_, _>>()?;
    assert!(pages.iter().all(|page| page.is_complete), "a page is incomplete");
    Ok(pages.into_iter().flat_map(|page| page.rows).collect())
}

/// What one account has to tell.
#[derive(Debug, PartialEq)]
struct Everything {
    apps: Vec<App>,
    targets: Vec<Target>,
    findings: Vec<Finding>,
}

/// Reads the whole account, list by list.
fn everything(vendor: &DataTheorem) -> Result<Everything, VendorError> {
    let apps = rows(vendor.apps(None))?;
    let (mut targets, mut findings) = (Vec::new(), Vec::new());
    for app in &apps {
        targets.extend(rows(vendor.targets(&app.id, None))?);
        findings.extend(rows(vendor.findings_of_app(&app.id))?);
    }
    Ok(Everything { apps, targets, findings })
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Effect {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Effect::Reply { status, headers, body: body.to_owned() }
}

/// A fault that lets some requests of an operation pass and then strikes some.
fn fault(operation: &str, (skip, times): (u32, u32), when: When, effect: Effect) -> Fault {
    let matcher = Matcher { operation: Some(operation.to_owned()), skip, times, ..Matcher::default() };
    Fault { matcher, when, effect }
}
