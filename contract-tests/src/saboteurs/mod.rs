//! The suite's own proof: for every check a layer that breaks exactly its rule on a healthy simulator.
//!
//! A saboteur keeps every reply well-formed and has to be convicted by its own check, and by no other but those
//! in its `also` list, each with a reason. A check that no saboteur can make fail proves nothing.

mod data_theorem;
pub mod generic;
mod jira;
pub mod layers;
mod mend;

use std::sync::Arc;

use self::layers::{Layer, Sabotaged};
use crate::target::transport::SharedTransport;

/// A layer that breaks one rule.
pub struct Saboteur {
    /// Path of the check that has to convict it.
    pub check: &'static str,
    /// What it does, as in "it …".
    pub breaks: &'static str,
    /// Other checks that convict it, each with the reason why that can't be helped.
    pub also: &'static [(&'static str, &'static str)],
    layer: Layer,
}

impl Saboteur {
    /// A saboteur that only its own check convicts.
    fn new(check: &'static str, breaks: &'static str, layer: Layer) -> Self {
        Self { check, breaks, also: &[], layer }
    }

    /// The same, convicted by these checks too.
    fn also(self, also: &'static [(&'static str, &'static str)]) -> Self {
        Self { also, ..self }
    }

    /// The vendor whose rule it breaks, as its checks' paths name it.
    pub fn vendor(&self) -> &'static str {
        self.check.split('/').next().unwrap_or_default()
    }

    /// The transport with the saboteur in it. The other vendors and the admin plane are left alone.
    pub fn sabotage(&self, healthy: SharedTransport) -> SharedTransport {
        let paths = layers::paths_of(self.vendor());
        Arc::new(Sabotaged { inner: healthy, paths, layer: Arc::clone(&self.layer) })
    }
}

/// Every saboteur, in the order of the suite.
pub fn saboteurs() -> Vec<Saboteur> {
    [data_theorem::saboteurs(), mend::saboteurs(), jira::saboteurs()].into_iter().flatten().collect()
}
