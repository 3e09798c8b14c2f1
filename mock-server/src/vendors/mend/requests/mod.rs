//! Every request type of the API, and how a request comes to its handler.
//!
//! [`REQUEST_TYPES`] is the contents page. A handler is given the scope its token leads to and a user who may
//! ask; it reads the other fields of the body with [`crate::vendors::mend::rules::fields`].

mod alerts;
mod external_issues;
mod integrations;
mod inventory;
mod last_modified_projects;
mod libraries_info;
mod order;
mod organizations;
mod policies;
mod policy_issues;
mod prepare;
mod projects;
mod tags;

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use fixtures::spec::mend as ledger;

use super::account::{Account, User};
use super::readings::{Readings, RequestTokenFlag};
use super::rules::access::Scope;
use super::rules::access::ScopeKind::{self, GlobalOrganization, Organization, Product, Project};
use super::rules::errors::Refused;
use super::rules::fields;
use super::store::Version;
use super::wire;

pub(in crate::vendors::mend) use policy_issues::Issue;
pub use prepare::{operations, prepare};

/// A kind of request.
pub struct RequestType {
    /// The `requestType`.
    pub name: &'static str,
    /// Which token it takes.
    pub scope: ScopeKind,
    /// Which fields it takes besides `requestType`, `userKey` and the token.
    pub fields: &'static [&'static str],
    /// What answers it.
    action: Action,
}

/// What answers a request.
#[derive(Clone, Copy)]
enum Action {
    /// Looks at the account.
    Read(fn(&Account, &Call<'_>) -> Result<Vec<u8>, Refused>),
    /// May change the account.
    Write(fn(&mut Account, &Call<'_>) -> Result<Vec<u8>, Refused>),
}

const fn read(
    name: &'static str,
    scope: ScopeKind,
    fields: &'static [&'static str],
    handler: fn(&Account, &Call<'_>) -> Result<Vec<u8>, Refused>,
) -> RequestType {
    RequestType { name, scope, fields, action: Action::Read(handler) }
}

const fn write(
    name: &'static str,
    scope: ScopeKind,
    fields: &'static [&'static str],
    handler: fn(&mut Account, &Call<'_>) -> Result<Vec<u8>, Refused>,
) -> RequestType {
    RequestType { name, scope, fields, action: Action::Write(handler) }
}

/// Every request type.
pub static REQUEST_TYPES: &[RequestType] = &[
    // What the issue-tracker pages describe.
    read(
        "fetchProjectPolicyIssues",
        Project,
        &["policyActionType", "fromDateTime", "toDateTime", "page", "pageSize"],
        policy_issues::fetch_project_policy_issues,
    ),
    read(
        "getOrganizationLastModifiedProjects",
        Organization,
        &["modificationTypes", "fromDateTime", "toDateTime", "includeRequestToken"],
        last_modified_projects::get_organization_last_modified_projects,
    ),
    read("getProjectLibrariesInfo", Project, &["keyUuids"], libraries_info::get_project_libraries_info),
    write(
        "updateExternalIntegrationIssues",
        Project,
        &["wsPolicyIssueItemUuid", "externalIssues", "issueTrackerPluginType", "includeRequestToken"],
        external_issues::update_external_integration_issues,
    ),
    write(
        "getIntegrationActivationToken",
        Organization,
        &["integrationType"],
        integrations::get_integration_activation_token,
    ),
    read("getPolicyMatchesConfiguration", Organization, &[], integrations::get_policy_matches_configuration),
    // Policies, in four scopes.
    write("addGlobalOrganizationPolicy", GlobalOrganization, &["policy"], policies::add_policy),
    write("addOrganizationPolicy", Organization, &["policy"], policies::add_policy),
    write("addProductPolicy", Product, &["policy"], policies::add_policy),
    write("addProjectPolicy", Project, &["policy"], policies::add_policy),
    read("getGlobalOrganizationPolicies", GlobalOrganization, &["aggregatePolicies"], policies::get_policies),
    read("getOrganizationPolicies", Organization, &["aggregatePolicies"], policies::get_policies),
    read("getProductPolicies", Product, &["aggregatePolicies"], policies::get_policies),
    read("getProjectPolicies", Project, &["aggregatePolicies"], policies::get_policies),
    write("updateGlobalOrganizationPolicy", GlobalOrganization, &["policy"], policies::update_policy),
    write("updateOrganizationPolicy", Organization, &["policy"], policies::update_policy),
    write("updateProductPolicy", Product, &["policy"], policies::update_policy),
    write("updateProjectPolicy", Project, &["policy"], policies::update_policy),
    write("removeGlobalOrganizationPolicies", GlobalOrganization, &["policyIds"], policies::remove_policies),
    write("removeOrganizationPolicies", Organization, &["policyIds"], policies::remove_policies),
    write("removeProductPolicies", Product, &["policyIds"], policies::remove_policies),
    write("removeProjectPolicies", Project, &["policyIds"], policies::remove_policies),
    // Organizations, products and projects.
    read("getOrganizationDetails", Organization, &[], organizations::get_organization_details),
    read("getAllGroups", Organization, &[], organizations::get_all_groups),
    read("getAllProducts", Organization, &[], organizations::get_all_products),
    read("getOrganizationProductVitals", Organization, &[], organizations::get_organization_product_vitals),
    read("getAllProjects", Product, &[], projects::get_all_projects),
    read("getOrganizationProjectVitals", Organization, &[], projects::get_organization_project_vitals),
    read("getProductProjectVitals", Product, &[], projects::get_product_project_vitals),
    read("getProjectVitals", Project, &[], projects::get_project_vitals),
    read("getProjectLastModification", Project, &[], projects::get_project_last_modification),
    read("getRequestState", Organization, &["requestToken"], projects::get_request_state),
    read("getOrganizationProjectTags", Organization, &[], tags::get_organization_project_tags),
    read("getProjectTags", Project, &[], tags::get_project_tags),
    write("saveProjectTag", Project, &["tagKey", "tagValue"], tags::save_project_tag),
    write("removeProjectTag", Project, &["tagKey", "tagValue"], tags::remove_project_tag),
    // What is in a project.
    read("getProjectHierarchy", Project, &["includeInHouseData"], inventory::get_project_hierarchy),
    read("getProjectLicenses", Project, &["excludeProjectOccurrences"], inventory::get_project_licenses),
    read("getProjectLibraryLocations", Project, &[], inventory::get_project_library_locations),
    read("getProjectLibraryDependencies", Project, &["keyUuid"], inventory::get_project_library_dependencies),
    // Alerts.
    read("getOrganizationAlerts", Organization, &["fromDate", "toDate"], alerts::get_alerts),
    read("getProductAlerts", Product, &["fromDate", "toDate"], alerts::get_alerts),
    read("getProjectAlerts", Project, &["fromDate", "toDate"], alerts::get_alerts),
    read(
        "getOrganizationAlertsByType",
        Organization,
        &["alertType", "fromDate", "toDate"],
        alerts::get_alerts_by_type,
    ),
    read("getProductAlertsByType", Product, &["alertType", "fromDate", "toDate"], alerts::get_alerts_by_type),
    read("getProjectAlertsByType", Project, &["alertType", "fromDate", "toDate"], alerts::get_alerts_by_type),
    read("getOrganizationIgnoredAlerts", Organization, &["fromDate", "toDate"], alerts::get_ignored_alerts),
    read("getProductIgnoredAlerts", Product, &["fromDate", "toDate"], alerts::get_ignored_alerts),
    read("getProjectIgnoredAlerts", Project, &["fromDate", "toDate"], alerts::get_ignored_alerts),
    write("setAlertsStatus", Organization, &["alertUuids", "status", "comments"], alerts::set_alerts_status),
    write("ignoreAlerts", Organization, &["alertUuids", "comments"], alerts::ignore_alerts),
];

/// What a handler is given besides the account.
pub struct Call<'a> {
    /// The fields of the body.
    pub fields: &'a Map<String, Value>,
    /// The version that was asked.
    pub version: Version,
    /// Who asks.
    pub user: Arc<User>,
    /// What the token leads to.
    pub scope: Scope,
    /// The readings in force.
    pub readings: &'a Readings,
    /// What the sandbox's clock shows.
    pub now: Timestamp,
    /// What is tolerated and deserves a line in the journal.
    pub flags: RefCell<Vec<String>>,
}

impl Call<'_> {
    /// Notes something tolerated, for the journal.
    pub fn flag(&self, text: impl Into<String>) {
        self.flags.borrow_mut().push(text.into());
    }
}

/// The token of this request, if it is asked for: 32 hex digits that follow from what is asked, by whom and when.
fn request_token(call: &Call<'_>) -> Result<Option<String>, Refused> {
    let (field, readings) = ("includeRequestToken", call.readings);
    let is_wanted = match fields::value(call.fields, field) {
        None => false,
        Some(Value::Bool(wanted)) => *wanted,
        Some(Value::String(text)) if readings.request_token_flag == RequestTokenFlag::BooleanOrString => {
            match text.as_str() {
                "true" => true,
                "false" => false,
                _ => {
                    let reason = format!("{field} has to be true or false");
                    return Err(Refused::bad_value(&ledger::MEND_REQUEST_TOKEN_FLAG, reason, readings));
                }
            }
        }
        Some(other) => {
            let reason = format!("{field} has to be true or false, not {}", fields::kind(other));
            return Err(Refused::bad_value(&ledger::MEND_REQUEST_TOKEN_FLAG, reason, readings));
        }
    };
    let token = || {
        let mut hasher = blake3::Hasher::new_derive_key("mock-server mend request token");
        hasher.update(call.now.to_string().as_bytes());
        hasher.update(&wire::body(call.fields));
        hasher.finalize().to_hex()[..32].to_owned()
    };
    Ok(is_wanted.then(token))
}
