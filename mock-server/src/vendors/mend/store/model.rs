//! The rows themselves, and the JSON they keep once it was rendered.

use std::sync::{Arc, OnceLock};

use fixtures::world::mend::{AlertSpec, AlertType, Cause, ProjectSpec, ViolationSpec, ViolationStatus};
use smol_str::SmolStr;

/// Number of an organization: its place in the world.
pub type OrganizationId = u32;
/// Number of a product.
pub type ProductId = u64;
/// Number of a project.
pub type ProjectId = u64;
/// Number of a library: its `keyId`.
pub type LibraryId = u64;
/// Number of a policy.
pub type PolicyId = u64;

/// Version of the API that a request is made to. Some replies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.3
    V13,
    /// 1.4
    V14,
}

/// JSON of a row, rendered once per version of the row and of the API.
///
/// A changed row is a clone of the old one, so cloning forgets what was rendered.
#[derive(Debug, Default)]
pub struct Rendered([OnceLock<Box<[u8]>>; 2]);

impl Clone for Rendered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Rendered {
    /// The bytes, rendered by `render` if this version has not been rendered yet.
    pub fn get(&self, version: Version, render: impl FnOnce() -> Vec<u8>) -> &[u8] {
        let place = match version {
            Version::V13 => &self.0[0],
            Version::V14 => &self.0[1],
        };
        place.get_or_init(|| render().into_boxed_slice())
    }
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The product it belongs to.
    pub product: ProductId,
    /// The organization it belongs to.
    pub organization: OrganizationId,
    /// The project; its inventory and modifications are rows of their own and empty in here.
    pub spec: ProjectSpec,
}

impl Project {
    /// What stands for the project in requests.
    pub fn token(&self) -> &str {
        self.spec.token()
    }
}

/// What a policy matches in one library of a project.
#[derive(Debug, Clone, Default)]
pub struct Match {
    /// One for each cause, by cause: the latest one. Resolved ones stay.
    pub violations: Vec<Arc<Violation>>,
    /// JSON of policy and library, which is the same for both versions.
    pub head: Rendered,
}

impl Match {
    /// Whether something in it stands.
    pub fn is_open(&self) -> bool {
        self.violations.iter().any(|violation| violation.is_open())
    }

    /// The violation of this cause.
    pub fn of_cause(&self, cause: &Cause) -> Option<&Arc<Violation>> {
        self.violations.iter().find(|violation| violation.spec.cause == *cause)
    }
}

/// A policy violation.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The project.
    pub project: ProjectId,
    /// The library.
    pub library: LibraryId,
    /// The violation.
    pub spec: ViolationSpec,
    /// Its JSON.
    pub rendered: Rendered,
}

impl Violation {
    /// Whether the policy still matches.
    pub fn is_open(&self) -> bool {
        self.spec.status == ViolationStatus::Open
    }
}

/// What an alert is about; there is one alert for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertKey {
    /// The project.
    pub project: ProjectId,
    /// The library.
    pub library: LibraryId,
    /// What it says about the library.
    pub kind: AlertType,
    /// The vulnerability, or empty.
    pub vulnerability: SmolStr,
}

impl AlertKey {
    /// The smallest key of a project.
    pub fn first_of(project: ProjectId) -> Self {
        let (kind, vulnerability) = (AlertType::ALL[0], SmolStr::default());
        Self { project, library: 0, kind, vulnerability }
    }
}

/// An alert.
#[derive(Debug, Clone)]
pub struct Alert {
    /// What it is about.
    pub key: AlertKey,
    /// The alert.
    pub spec: AlertSpec,
    /// Its JSON, what it says of the project aside.
    pub rendered: Rendered,
}
