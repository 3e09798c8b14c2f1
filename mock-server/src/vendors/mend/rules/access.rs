//! Who asks, for what, and whether they may.

use std::sync::Arc;

use fixtures::spec::mend as ledger;
use fixtures::world::mend::{PolicyScope, Role};

use super::errors::{Code, Refused};
use crate::vendors::mend::account::User;
use crate::vendors::mend::readings::{AuditorWrites, Readings, UnknownScopeToken};
use crate::vendors::mend::store::{OrganizationId, Product, Project, Store};

/// Which token a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// `globalOrgToken`
    GlobalOrganization,
    /// `orgToken`
    Organization,
    /// `productToken`
    Product,
    /// `projectToken`
    Project,
}

impl ScopeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::GlobalOrganization, Self::Organization, Self::Product, Self::Project];

    /// The field the token stands in.
    pub const fn field(self) -> &'static str {
        match self {
            Self::GlobalOrganization => "globalOrgToken",
            Self::Organization => "orgToken",
            Self::Product => "productToken",
            Self::Project => "projectToken",
        }
    }
}

/// What a token leads to.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The organization above all organizations.
    GlobalOrganization,
    /// An organization.
    Organization(OrganizationId),
    /// A product.
    Product(Arc<Product>),
    /// A project.
    Project(Arc<Project>),
}

impl Scope {
    /// What the token of this kind leads to.
    pub fn find(kind: ScopeKind, token: &str, store: &Store) -> Option<Self> {
        match kind {
            ScopeKind::GlobalOrganization => {
                let global = store.global_organization()?;
                (global.token == token).then_some(Self::GlobalOrganization)
            }
            ScopeKind::Organization => store.organization_id(token).map(Self::Organization),
            ScopeKind::Product => store.product(token).cloned().map(Self::Product),
            ScopeKind::Project => store.project(token).cloned().map(Self::Project),
        }
    }

    /// The same scope as policies name it.
    pub fn of_policies(&self, store: &Store) -> PolicyScope {
        match self {
            Self::GlobalOrganization => PolicyScope::GlobalOrganization,
            Self::Organization(id) => PolicyScope::Organization(
                store.organization(*id).map_or_else(String::new, |row| row.token.clone()),
            ),
            Self::Product(product) => PolicyScope::Product(product.spec.token.clone()),
            Self::Project(project) => PolicyScope::Project(project.token().to_owned()),
        }
    }

    fn organization(&self) -> Option<OrganizationId> {
        match self {
            Self::GlobalOrganization => None,
            Self::Organization(id) => Some(*id),
            Self::Product(product) => Some(product.organization),
            Self::Project(project) => Some(project.organization),
        }
    }

    fn product_token<'a>(&'a self, store: &'a Store) -> Option<&'a str> {
        match self {
            Self::GlobalOrganization | Self::Organization(_) => None,
            Self::Product(product) => Some(&product.spec.token),
            Self::Project(project) => {
                store.product_of_id(project.product).map(|product| product.spec.token.as_str())
            }
        }
    }
}

/// Requests that the vendor lets product administrators make with the token of their organization.
const FOR_PRODUCT_ADMINISTRATORS: [&str; 2] = ["getProjectVitals", "getRequestState"];

/// Requests that every user may make with the token of the organization it is a member of.
const FOR_MEMBERS: [&str; 1] = ["getPolicyMatchesConfiguration"];

/// Whether a user may make a request about a scope.
pub fn check(
    user: &User,
    scope: &Scope,
    request_type: &str,
    writes: bool,
    store: &Store,
    readings: &Readings,
) -> Result<(), Refused> {
    let own_organization =
        user.spec.organization_token.as_deref().and_then(|token| store.organization_id(token));
    let is_own = scope.organization().is_some() && scope.organization() == own_organization;
    let refuse =
        |reason: &'static str| Err(Refused::rule(Code::NotAllowed, &ledger::MEND_ACCESS_ROLE, reason));
    if is_own && FOR_MEMBERS.contains(&request_type) {
        return Ok(());
    }
    match user.spec.role {
        Role::Administrator | Role::Auditor if !is_own => refuse("the token is another organization's"),
        Role::Auditor if writes && readings.auditor_writes == AuditorWrites::Refused => {
            let reason = "the user is an auditor, who may only read";
            Err(Refused::reading(Code::NotAllowed, &ledger::MEND_AUDITOR_WRITES, reason))
        }
        Role::GlobalAdministrator | Role::Administrator | Role::Auditor => Ok(()),
        Role::ProductAdministrator => {
            let own =
                scope.product_token(store).is_some_and(|token| user.spec.product_tokens.contains(token));
            let excepted = is_own && FOR_PRODUCT_ADMINISTRATORS.contains(&request_type);
            if own || excepted { Ok(()) } else { refuse("the user administers other products") }
        }
        Role::Member => refuse("the user is neither administrator nor auditor"),
    }
}

/// The refusal of a token that leads nowhere.
pub fn unknown_token(kind: ScopeKind, readings: &Readings) -> Refused {
    let reason = format!("no {} of this account is the given one", kind.field());
    let code = match readings.unknown_scope_token {
        UnknownScopeToken::NotAllowed => Code::NotAllowed,
        UnknownScopeToken::InvalidParameters => Code::InvalidParameters,
    };
    Refused::reading(code, &ledger::MEND_UNKNOWN_SCOPE_TOKEN, reason)
}
