//! Reading the `policy` object of a request: what it gives, and what that makes of the policy that was there.
//!
//! The names of the fields are those of [`crate::vendors::mend::wire::policies`], with the same evidence. Where no
//! page says what a value has to be like, a refusal rests on the reading about bad values. Deliberately absent:
//! whether a policy of that name or priority exists, which nothing forbids.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::spec::mend as ledger;
use fixtures::world::mend::{
    ActionType, Filter, IssueTrackerType, LibraryRequest, MatchType, PolicyAction, PolicySpec, Severity,
};
use serde_json::{Map, Value};

use super::access::Scope;
use super::errors::{Code, Refused};
use super::nested::Object;
use crate::vendors::mend::account::{Account, User};
use crate::vendors::mend::readings::{ActionTypeSpelling, Readings};
use crate::vendors::mend::store::{OrganizationId, Store};

/// The number that stands for a licence which was removed.
pub const REMOVED_LICENSE: i64 = -1;

/// How long a pattern may be. Our assumption: patterns are tried on every library, and nobody writes longer ones.
const PATTERN_MAX: usize = 1_000;

/// The fields that answers have and that a request does not change.
const SHOWN_ONLY: [&str; 6] = ["creationTime", "productLevel", "policyContext", "policyMatch", "Url", "url"];

/// What a `policy` object gives; `None` for what it leaves out.
#[derive(Debug, Default)]
pub struct PolicyBody {
    /// `id`
    pub id: Option<u64>,
    /// `name`
    pub name: Option<String>,
    /// The user that `owner` names.
    pub owner_id: Option<u64>,
    /// `filter`
    pub filter: Option<Filter>,
    /// `action`
    pub action: Option<ActionBody>,
    /// `priority`
    pub priority: Option<u32>,
    /// `enabled`
    pub is_enabled: Option<bool>,
    /// `inclusive`
    pub is_inclusive: Option<bool>,
    /// Fields that mean nothing.
    pub unknown_fields: Vec<String>,
}

/// What an `action` object gives; `None` for what it leaves out.
#[derive(Debug)]
pub struct ActionBody {
    kind: ActionType,
    issue_tracker: Option<IssueTrackerType>,
    group_id: Option<u64>,
    fails_policy_check: Option<bool>,
}

/// Reads the `policy` of a request's fields. Owner, licences, group and product have to be known to the scope.
pub fn read(
    fields: &Map<String, Value>,
    scope: &Scope,
    account: &Account,
    readings: &Readings,
) -> Result<PolicyBody, Refused> {
    let request = Object::of_request(fields, readings);
    let policy = request.required_object("policy", &ledger::MEND_POLICY_ADD)?;
    let known = Known { organization: organization(scope), account };
    let bad_value = &ledger::MEND_BAD_VALUE_CODE;
    let name = policy.text("name", &ledger::MEND_POLICY_ADD_REQUIRED)?;
    if name.is_some_and(|name| name.trim().is_empty()) {
        return Err(policy.refuse("name", bad_value, "must not be empty"));
    }
    let owner = policy.object("owner", &ledger::MEND_POLICY_OWNER)?;
    let filter = policy.object("filter", &ledger::MEND_POLICY_ADD_REQUIRED)?;
    let action = policy.object("action", &ledger::MEND_POLICY_ACTION_OBJECT)?;
    let unknown_fields = policy.fields().keys().filter(|field| !is_known(field));
    Ok(PolicyBody {
        id: policy.number("id", 1..=u64::MAX, &ledger::MEND_POLICY_UPDATE_ID)?,
        name: name.map(str::to_owned),
        owner_id: owner.map(|owner| known.owner(&owner)).transpose()?.map(|user| user.spec.id),
        filter: filter.map(|object| known.filter(&object)).transpose()?,
        action: action.map(|object| known.action(&object)).transpose()?,
        priority: policy
            .number("priority", 1..=u64::from(u32::MAX), &ledger::MEND_POLICY_PRIORITY)?
            .and_then(|priority| u32::try_from(priority).ok()),
        is_enabled: policy.boolean("enabled", bad_value)?,
        is_inclusive: policy.boolean("inclusive", &ledger::MEND_POLICY_INCLUSIVE)?,
        unknown_fields: unknown_fields.cloned().collect(),
    })
}

fn is_known(field: &str) -> bool {
    let read = ["id", "name", "owner", "filter", "action", "priority", "enabled", "inclusive"];
    read.contains(&field) || SHOWN_ONLY.contains(&field)
}

impl PolicyBody {
    /// The mandatory fields of a new policy, or else which of them are missing.
    pub fn for_a_new_policy(self, readings: &Readings) -> Result<NewPolicy, Refused> {
        let Self { name, owner_id, filter, action, priority, is_enabled, is_inclusive, .. } = self;
        let given = [name.is_some(), owner_id.is_some(), filter.is_some(), action.is_some()];
        let (Some(name), Some(owner_id), Some(filter), Some(action)) = (name, owner_id, filter, action)
        else {
            let names = ["policy.name", "policy.owner", "policy.filter", "policy.action"];
            let missing: Vec<&str> =
                names.into_iter().zip(given).filter(|(_, given)| !given).map(|(name, _)| name).collect();
            return Err(Refused::missing(&missing, &ledger::MEND_POLICY_ADD_REQUIRED, readings));
        };
        Ok(NewPolicy {
            name,
            owner_id,
            filter,
            action: action.onto(None),
            priority,
            is_enabled: is_enabled.unwrap_or(true),
            is_inclusive: is_inclusive.unwrap_or(false),
        })
    }

    /// The policy with what is given in here. A `filter` counts as one value.
    pub fn onto(self, policy: &PolicySpec) -> PolicySpec {
        let action = self.action.map(|action| action.onto(Some(&policy.action)));
        PolicySpec {
            name: self.name.unwrap_or_else(|| policy.name.clone()),
            owner_id: self.owner_id.unwrap_or(policy.owner_id),
            priority: self.priority.unwrap_or(policy.priority),
            is_enabled: self.is_enabled.unwrap_or(policy.is_enabled),
            is_inclusive: self.is_inclusive.unwrap_or(policy.is_inclusive),
            filter: self.filter.unwrap_or_else(|| policy.filter.clone()),
            action: action.unwrap_or_else(|| policy.action.clone()),
            id: policy.id,
            scope: policy.scope.clone(),
            creation_time: policy.creation_time,
        }
    }
}

/// What a new policy is made of.
#[derive(Debug)]
pub struct NewPolicy {
    /// Name.
    pub name: String,
    /// The user it belongs to.
    pub owner_id: u64,
    /// What it matches.
    pub filter: Filter,
    /// What it does with that.
    pub action: PolicyAction,
    /// Its rank; absent: after the last of its scope.
    pub priority: Option<u32>,
    /// Whether it is in force.
    pub is_enabled: bool,
    /// Of a `LICENSE` policy: whether all licences of a library must be among the policy's.
    pub is_inclusive: bool,
}

impl ActionBody {
    /// The action that this makes of another one. Details that are not given stay while the type does: a client
    /// that sends back the action it was answered would lose its issue tracker settings otherwise, because answers
    /// don't have them. Settings of one type mean nothing to another.
    fn onto(self, before: Option<&PolicyAction>) -> PolicyAction {
        let before = before.filter(|action| action.kind == self.kind);
        PolicyAction {
            kind: self.kind,
            issue_tracker: self
                .issue_tracker
                .or_else(|| before?.issue_tracker)
                .filter(|_| self.kind == ActionType::CreateIssue),
            group_id: self
                .group_id
                .or_else(|| before?.group_id)
                .filter(|_| self.kind == ActionType::Reassign),
            fails_policy_check: self
                .fails_policy_check
                .unwrap_or_else(|| before.is_some_and(|action| action.fails_policy_check)),
        }
    }
}

/// The organization of a scope; the global organization has none, and sees all of them.
fn organization(scope: &Scope) -> Option<OrganizationId> {
    match scope {
        Scope::GlobalOrganization => None,
        Scope::Organization(id) => Some(*id),
        Scope::Product(product) => Some(product.organization),
        Scope::Project(project) => Some(project.organization),
    }
}

/// What a policy of a scope may refer to.
struct Known<'a> {
    organization: Option<OrganizationId>,
    account: &'a Account,
}

impl<'a> Known<'a> {
    fn store(&self) -> &'a Store {
        &self.account.store
    }

    fn is_own(&self, organization_token: &str) -> bool {
        self.organization.is_none() || self.organization == self.store().organization_id(organization_token)
    }

    /// The user that is meant. If several fields are given, all of them have to be that user's.
    fn owner(&self, owner: &Object<'_>) -> Result<&'a User, Refused> {
        let rule = &ledger::MEND_POLICY_OWNER;
        let id = owner.number("id", 0..=u64::MAX, rule)?;
        let (email, name) = (owner.text("email", rule)?, owner.text("name", rule)?);
        if id.is_none() && email.is_none() && name.is_none() {
            return Err(owner.refuse_itself(rule, "has to have an id, a name or an email"));
        }
        let is_meant = |user: &&Arc<User>| {
            let spec = &user.spec;
            id.is_none_or(|id| id == spec.id)
                && email.is_none_or(|email| email == spec.email)
                && name.is_none_or(|name| name == spec.name)
        };
        let is_own = |user: &&Arc<User>| {
            user.spec.organization_token.as_deref().is_none_or(|token| self.is_own(token))
        };
        let mut meant = self.account.users.iter().filter(is_meant).peekable();
        let rule = &ledger::MEND_ERROR_USERS;
        if meant.peek().is_none() {
            return Err(owner.refuse_reference(Code::UnknownUser, rule, "is no known user"));
        }
        let user = meant.find(is_own);
        user.map(|user| &**user).ok_or_else(|| {
            owner.refuse_reference(Code::NotInOrganization, rule, "is a user of another organization")
        })
    }

    fn action(&self, action: &Object<'_>) -> Result<ActionBody, Refused> {
        let rule = &ledger::MEND_POLICY_ACTION_OBJECT;
        let word = action.required_text("type", rule)?;
        let takes_prose = action.readings().action_type_spelling == ActionTypeSpelling::ProseToo;
        let kind = match word {
            "Create Issue" | "Issue" if takes_prose => ActionType::CreateIssue,
            _ => action.one_of("type", &ledger::MEND_ACTION_TYPE_SPELLING)?,
        };
        let rule = &ledger::MEND_POLICY_ISSUE_SETTINGS;
        let issue_tracker = match action.object("issueSettings", rule)? {
            Some(settings) => Some(settings.one_of("issueTrackerType", rule)?),
            None => None,
        };
        let rule = &ledger::MEND_POLICY_REASSIGN_GROUP;
        let group_id = match action.object("group", rule)? {
            Some(group) => {
                let id = group.required_number("id", 0..=u64::MAX, rule)?;
                let organizations =
                    self.store().organizations().iter().map(|organization| &organization.token);
                let mut groups = organizations
                    .filter(|organization| self.is_own(organization))
                    .flat_map(|organization| self.store().groups(organization));
                if !groups.any(|known| known.id == id) {
                    let rule = &ledger::MEND_ERROR_USERS;
                    let why = "is no group of the organization";
                    return Err(group.refuse_reference(Code::UnknownGroup, rule, why));
                }
                Some(id)
            }
            None => None,
        };
        let fails_policy_check = action.boolean("failPolicyCheck", &ledger::MEND_FETCH_POLICY_ACTION)?;
        Ok(ActionBody { kind, issue_tracker, group_id, fails_policy_check })
    }

    fn filter(&self, filter: &Object<'_>) -> Result<Filter, Refused> {
        let bad_value = &ledger::MEND_BAD_VALUE_CODE;
        Ok(match filter.one_of("type", &ledger::MEND_MATCHES_TEN)? {
            MatchType::License => Filter::License { licenses: self.licenses(filter)? },
            MatchType::VulnerabilitySeverity => severity(filter)?,
            MatchType::VulnerabilityScore => scores(filter)?,
            MatchType::Effectiveness => {
                Filter::Effectiveness { is_effective: filter.required_boolean("effective", bad_value)? }
            }
            MatchType::GavRegex => {
                let [group_id, artifact_id, version] = ["groupId", "artifactId", "version"]
                    .map(|field| Ok(optional_pattern(filter, field)?.unwrap_or_default().to_owned()));
                let (group_id, artifact_id, version) = (group_id?, artifact_id?, version?);
                if [&group_id, &artifact_id, &version].iter().all(|pattern| pattern.is_empty()) {
                    let reason = "has to have a groupId, an artifactId or a version that is not empty";
                    return Err(filter.refuse_itself(bad_value, reason));
                }
                Filter::GavRegex { group_id, artifact_id, version }
            }
            MatchType::ResourceNameRegex => {
                Filter::ResourceNameRegex { pattern: pattern(filter, "resourceName")? }
            }
            MatchType::LibraryStaleness => {
                let days = filter.required_number("olderThanDays", 0..=u64::from(u32::MAX), bad_value)?;
                Filter::LibraryStaleness { older_than_days: u32::try_from(days).unwrap_or(u32::MAX) }
            }
            MatchType::Product => {
                let token = filter.required_text("productToken", bad_value)?;
                let product = self.store().product(token);
                if !product.is_some_and(|product| self.is_own(&product.spec.organization_token)) {
                    return Err(filter.refuse(
                        "productToken",
                        bad_value,
                        "is no product of the organization",
                    ));
                }
                Filter::Product { product_token: token.to_owned() }
            }
            MatchType::PrimaryAttributeValue => {
                Filter::PrimaryAttributeValue { value: pattern(filter, "primaryAttributeValue")? }
            }
            MatchType::LibraryRequestHistory => {
                let decision: LibraryRequest = filter.one_of("libraryRequest", bad_value)?;
                Filter::LibraryRequestHistory { decision }
            }
        })
    }

    fn licenses(&self, filter: &Object<'_>) -> Result<BTreeSet<String>, Refused> {
        let rule = &ledger::MEND_FETCH_POLICY_FILTER;
        let licenses = filter.required_objects("licenses", rule)?;
        if licenses.is_empty() {
            return Err(filter.refuse("licenses", rule, "has to have a licence"));
        }
        licenses.iter().map(|license| self.license(license)).collect()
    }

    /// The name of a licence that is given by its id, its name, or both.
    fn license(&self, license: &Object<'_>) -> Result<String, Refused> {
        let rule = &ledger::MEND_FETCH_POLICY_FILTER;
        let name = license.text("name", rule)?.filter(|name| !name.is_empty());
        if license.is_number("id", REMOVED_LICENSE) {
            let rule = &ledger::MEND_POLICY_LICENSE_REMOVED;
            let named = name.map(str::to_owned);
            return named
                .ok_or_else(|| license.refuse("name", rule, "is needed with the id of a removed licence"));
        }
        let id = license.number("id", 0..=u64::MAX, rule)?;
        let known = match (name, id) {
            (Some(name), _) => self.store().license(name),
            (None, Some(id)) => self.store().license_of_id(id),
            (None, None) => return Err(license.refuse_itself(rule, "has to have an id or a name")),
        };
        match known {
            Some(known) if id.is_none_or(|id| id == known.id) => Ok(known.name.clone()),
            Some(_) => Err(license.refuse("id", rule, "is not that of the licence of this name")),
            None => Err(license.refuse_itself(rule, "is no known licence")),
        }
    }
}

fn severity(filter: &Object<'_>) -> Result<Filter, Refused> {
    let rule = &ledger::MEND_POLICY_SEVERITY_FILTER;
    let word = filter.required_text("vulnerabilitySeverity", rule)?;
    let severity = Severity::ALL.iter().find(|severity| severity.as_str().to_uppercase() == word);
    let severity = severity.copied().ok_or_else(|| {
        filter.refuse("vulnerabilitySeverity", rule, "has to be one of LOW, MEDIUM, HIGH, CRITICAL")
    })?;
    let effective_only = filter.boolean("effectiveVulnerabilitiesOnly", rule)?.unwrap_or(false);
    Ok(Filter::VulnerabilitySeverity { severity, effective_only })
}

fn scores(filter: &Object<'_>) -> Result<Filter, Refused> {
    let rule = &ledger::MEND_FETCH_POLICY_FILTER;
    let from = filter.required_score("scoreFrom", rule)?;
    let to = filter.required_score("scoreTo", rule)?;
    if from > to {
        return Err(filter.refuse("scoreFrom", rule, "must not be greater than scoreTo"));
    }
    Ok(Filter::VulnerabilityScore { from, to })
}

fn pattern(filter: &Object<'_>, field: &'static str) -> Result<String, Refused> {
    let bad_value = &ledger::MEND_BAD_VALUE_CODE;
    let pattern = optional_pattern(filter, field)?;
    let pattern = pattern.ok_or_else(|| filter.missing(field, bad_value))?;
    if pattern.is_empty() {
        return Err(filter.refuse(field, bad_value, "must not be empty"));
    }
    Ok(pattern.to_owned())
}

fn optional_pattern<'a>(filter: &Object<'a>, field: &'static str) -> Result<Option<&'a str>, Refused> {
    let bad_value = &ledger::MEND_BAD_VALUE_CODE;
    let pattern = filter.text(field, bad_value)?;
    if pattern.is_some_and(|pattern| pattern.chars().count() > PATTERN_MAX) {
        return Err(filter.refuse(
            field,
            bad_value,
            &format!("must not have more than {PATTERN_MAX} characters"),
        ));
    }
    Ok(pattern)
}
