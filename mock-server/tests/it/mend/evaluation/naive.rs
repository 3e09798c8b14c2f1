//! The naive evaluator: for every library of a project and every reason there could be, which policies match, and
//! which of them wins. It keeps the world as plain data and looks everything up anew.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::world::mend::{
    ActionType, Cause, Cvss3Spec, Filter, InventorySpec, LibrarySpec, LibraryUse, MendWorld, PolicyScope,
    PolicySpec, ProjectSpec, VulnerabilitySpec,
};
use jiff::Timestamp;

/// Policy, project, library and reason.
pub(super) type Key = (u64, String, String, Cause);

/// The readings that the evaluator knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices {
    pub(super) conflict: &'static str,
    pub(super) match_again: &'static str,
    pub(super) acts: &'static str,
    pub(super) rescore: &'static str,
}

/// What is known of a violation.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) uuid: String,
    pub(super) last_modified: Timestamp,
}

/// A world as plain data, and what has to be open in it.
pub(super) struct Naive {
    pub(super) world: MendWorld,
    pub(super) now: Timestamp,
    choices: Choices,
    /// What is open. `None` as long as the server has not been asked what it called it.
    pub(super) open: BTreeMap<Key, Option<Known>>,
    /// What was open, oldest first.
    pub(super) past: BTreeMap<Key, Vec<Known>>,
    /// The projects in which a match came, went or changed in this step.
    pub(super) stirred: BTreeSet<String>,
}

impl Naive {
    pub(super) fn new(world: &MendWorld, now: Timestamp, choices: Choices) -> Self {
        let (open, past, stirred) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let mut naive = Self { world: world.clone(), now, choices, open, past, stirred };
        naive.evaluate(|_| true);
        naive.stirred.clear();
        naive
    }

    pub(super) fn add_policy(&mut self, policy: PolicySpec) {
        let scope = policy.scope.clone();
        self.world.policies.push(policy);
        self.act(&scope);
    }

    pub(super) fn update_policy(&mut self, policy: PolicySpec) {
        let scope = policy.scope.clone();
        let before = self.world.policies.iter_mut().find(|before| before.id == policy.id).unwrap();
        if *before == policy {
            return;
        }
        // Whether the tracker is set is in no answer, but whether there are answers hangs on it.
        let mut same_look = policy.clone();
        same_look.action.issue_tracker = before.action.issue_tracker;
        let looks_different = same_look != *before;
        let listed = (opens_issues(before), opens_issues(&policy));
        if (looks_different && (listed.0 || listed.1)) || listed.0 != listed.1 {
            let matched = self.open.keys().filter(|(id, ..)| *id == policy.id);
            self.stirred.extend(matched.map(|(_, project, ..)| project.clone()));
        }
        let same_decisions = PolicySpec { name: before.name.clone(), ..policy.clone() } == *before;
        *before = policy;
        if !same_decisions {
            self.act(&scope);
        }
    }

    pub(super) fn remove_policies(&mut self, scope: &PolicyScope, ids: &[u64]) -> usize {
        let before = self.world.policies.len();
        self.world.policies.retain(|policy| policy.scope != *scope || !ids.contains(&policy.id));
        let removed = before - self.world.policies.len();
        if removed > 0 {
            let scopes = self.scopes();
            self.evaluate(|project| scopes[project.token()].contains(scope));
        }
        removed
    }

    pub(super) fn scan(&mut self, token: &str, found: &[LibraryUse]) {
        let now = self.now;
        let product = self.project(token).product_token.clone();
        let before = self.in_product(&product);
        let project = self.world.projects.iter_mut().find(|project| project.token() == token).unwrap();
        project.inventory = found
            .iter()
            .map(|found| InventorySpec {
                key_uuid: found.key_uuid.clone(),
                added: now,
                is_direct: found.is_direct,
                local_paths: found.local_paths.clone(),
                dependency_file: None,
                dependencies: BTreeSet::new(),
                ineffective_vulnerabilities: found.ineffective_vulnerabilities.clone(),
            })
            .collect();
        self.evaluate(|project| project.token() == token);
        let asks = |policy: &PolicySpec| matches!(&policy.filter, Filter::Product { product_token } if *product_token == product);
        if self.world.policies.iter().any(asks) {
            let after = self.in_product(&product);
            let changed: Vec<String> = before.symmetric_difference(&after).cloned().collect();
            self.evaluate_libraries(&changed);
        }
    }

    pub(super) fn rescore(&mut self, name: &str, score: f64, cvss3: Option<f64>) {
        let known = self.world.vulnerabilities.iter_mut().find(|known| known.name == name).unwrap();
        known.score = score;
        if let Some(score) = cvss3 {
            known.cvss3 = Some(Cvss3Spec { score, vector: None });
        }
        let affected = self.world.libraries.iter().filter(|library| library.vulnerabilities.contains(name));
        let affected: Vec<String> = affected.map(|library| library.key_uuid.clone()).collect();
        let cause = Cause::Vulnerability(name.to_owned());
        let before: Vec<Key> = self.open.keys().filter(|(.., of)| *of == cause).cloned().collect();
        self.evaluate_libraries(&affected);
        for key in before {
            if let Some(Some(known)) = self.open.get_mut(&key) {
                self.stirred.insert(key.1);
                if self.choices.rescore == "yes" {
                    known.last_modified = self.now;
                }
            }
        }
    }

    pub(super) fn change_licenses(&mut self, key_uuid: &str, licenses: &BTreeSet<String>) {
        let library = self.library_mut(key_uuid);
        // What says nothing new makes nobody look anew, also not at policies that wait for the next look.
        if library.licenses == *licenses {
            return;
        }
        library.licenses.clone_from(licenses);
        self.evaluate_libraries(&[key_uuid.to_owned()]);
    }

    pub(super) fn publish(&mut self, name: &str, key_uuids: &BTreeSet<String>) {
        for key_uuid in key_uuids {
            self.library_mut(key_uuid).vulnerabilities.insert(name.to_owned());
        }
        self.evaluate_libraries(&key_uuids.iter().cloned().collect::<Vec<_>>());
    }

    /// What `fetchProjectPolicyIssues` has to list of a project.
    pub(super) fn listed(&self, token: &str) -> Vec<(&PolicySpec, &Key)> {
        let of_project = self.open.keys().filter(|(_, project, ..)| project == token);
        of_project
            .map(|key| (self.world.policies.iter().find(|policy| policy.id == key.0).unwrap(), key))
            .filter(|(policy, _)| opens_issues(policy))
            .collect()
    }

    /// Whether a scope may name a product in a filter.
    pub(super) fn may_name(&self, scope: &PolicyScope, product: &str) -> bool {
        let of_product = |token: &str| {
            let product = self.world.products.iter().find(|product| product.token == token).unwrap();
            product.organization_token.clone()
        };
        let own = match scope {
            PolicyScope::GlobalOrganization => return true,
            PolicyScope::Organization(token) => token.clone(),
            PolicyScope::Product(token) => of_product(token),
            PolicyScope::Project(token) => {
                let project = self.project(token);
                of_product(&project.product_token)
            }
        };
        own == of_product(product)
    }

    fn project(&self, token: &str) -> &ProjectSpec {
        self.world.projects.iter().find(|project| project.token() == token).unwrap()
    }

    /// The libraries that the projects of a product have.
    fn in_product(&self, product: &str) -> BTreeSet<String> {
        let projects = self.world.projects.iter().filter(|project| project.product_token == product);
        projects.flat_map(|project| &project.inventory).map(|used| used.key_uuid.clone()).collect()
    }

    fn library_mut(&mut self, key_uuid: &str) -> &mut LibrarySpec {
        self.world.libraries.iter_mut().find(|library| library.key_uuid == key_uuid).unwrap()
    }

    fn act(&mut self, scope: &PolicyScope) {
        if self.choices.acts == "at-once" {
            let scopes = self.scopes();
            self.evaluate(|project| scopes[project.token()].contains(scope));
        }
    }

    /// For each project the scopes it is in, the narrowest first.
    fn scopes(&self) -> BTreeMap<String, Vec<PolicyScope>> {
        let scopes = |project: &ProjectSpec| {
            let product = self.world.products.iter().find(|product| product.token == project.product_token);
            vec![
                PolicyScope::Project(project.token().to_owned()),
                PolicyScope::Product(project.product_token.clone()),
                PolicyScope::Organization(product.unwrap().organization_token.clone()),
                PolicyScope::GlobalOrganization,
            ]
        };
        self.world.projects.iter().map(|project| (project.token().to_owned(), scopes(project))).collect()
    }

    fn evaluate(&mut self, which: impl Fn(&ProjectSpec) -> bool) {
        let projects: Vec<ProjectSpec> =
            self.world.projects.iter().filter(|project| which(project)).cloned().collect();
        let libraries: Vec<String> =
            self.world.libraries.iter().map(|library| library.key_uuid.clone()).collect();
        for (project, key_uuid) in projects.iter().flat_map(|row| libraries.iter().map(move |id| (row, id))) {
            self.evaluate_one(project, key_uuid);
        }
    }

    fn evaluate_libraries(&mut self, key_uuids: &[String]) {
        for project in self.world.projects.clone() {
            for key_uuid in key_uuids {
                self.evaluate_one(&project, key_uuid);
            }
        }
    }

    fn evaluate_one(&mut self, project: &ProjectSpec, key_uuid: &str) {
        let token = project.token();
        let wanted: BTreeSet<Key> = self
            .wanted(project, key_uuid)
            .into_iter()
            .map(|(policy, cause)| (policy, token.to_owned(), key_uuid.to_owned(), cause))
            .collect();
        let here =
            self.open.keys().filter(|(_, project, library, _)| project == token && library == key_uuid);
        let here: BTreeSet<Key> = here.cloned().collect();
        if wanted != here {
            self.stirred.insert(token.to_owned());
        }
        for key in here.difference(&wanted) {
            if let Some(mut known) = self.open.remove(key).unwrap() {
                known.last_modified = self.now;
                self.past.entry(key.clone()).or_default().push(known);
            }
        }
        for key in wanted.difference(&here) {
            let again = (self.choices.match_again == "same-uuid").then(|| self.past.get_mut(key)).flatten();
            let again = again.and_then(Vec::pop).map(|known| Known { last_modified: self.now, ..known });
            self.open.insert(key.clone(), again);
        }
    }

    /// What has to be open for a library of a project.
    fn wanted(&self, project: &ProjectSpec, key_uuid: &str) -> BTreeSet<(u64, Cause)> {
        let Some(used) = project.inventory.iter().find(|used| used.key_uuid == key_uuid) else {
            return BTreeSet::new();
        };
        let library = self.world.libraries.iter().find(|library| library.key_uuid == key_uuid).unwrap();
        let causes: Vec<Cause> = std::iter::once(Cause::Library)
            .chain(library.licenses.iter().cloned().map(Cause::License))
            .chain(library.vulnerabilities.iter().cloned().map(Cause::Vulnerability))
            .collect();
        let scopes = &self.scopes()[project.token()];
        let rank = |policy: &PolicySpec| {
            let place = scopes.iter().position(|scope| *scope == policy.scope).unwrap();
            (place, policy.priority, policy.id)
        };
        let policies: Vec<&PolicySpec> =
            self.world.policies.iter().filter(|policy| scopes.contains(&policy.scope)).collect();
        let matches = |policy: &PolicySpec, cause: &Cause| self.matches(policy, cause, library, used);
        let enabled = || policies.iter().filter(|policy| policy.is_enabled);
        let mut wanted = BTreeSet::new();
        let winner = enabled()
            .filter(|policy| causes.iter().any(|cause| matches(policy, cause)))
            .min_by_key(|policy| rank(policy));
        for cause in &causes {
            let matching = enabled().filter(|policy| matches(policy, cause));
            let winners: Vec<u64> = match self.choices.conflict {
                "none" => matching.map(|policy| policy.id).collect(),
                "per-cause" => {
                    matching.min_by_key(|policy| rank(policy)).map(|policy| policy.id).into_iter().collect()
                }
                "per-library" => matching
                    .map(|policy| policy.id)
                    .filter(|id| winner.is_some_and(|winner| winner.id == *id))
                    .collect(),
                other => panic!("{other}"),
            };
            wanted.extend(winners.into_iter().map(|id| (id, cause.clone())));
        }
        // Policies with other actions take part in conflicts, and what they win is no violation.
        wanted.retain(|(id, _)| policies.iter().any(|policy| policy.id == *id && opens_issues(policy)));
        // A disabled policy keeps what it has as long as that is true, and gets nothing new.
        for policy in policies.iter().filter(|policy| !policy.is_enabled && opens_issues(policy)) {
            for cause in &causes {
                let key = (policy.id, project.token().to_owned(), key_uuid.to_owned(), cause.clone());
                if self.open.contains_key(&key) && matches(policy, cause) {
                    wanted.insert((policy.id, cause.clone()));
                }
            }
        }
        wanted
    }

    fn matches(
        &self,
        policy: &PolicySpec,
        cause: &Cause,
        library: &LibrarySpec,
        used: &InventorySpec,
    ) -> bool {
        let vulnerability = |name: &String| {
            let known: &VulnerabilitySpec =
                self.world.vulnerabilities.iter().find(|known| known.name == *name).unwrap();
            let cvss3 = known.cvss3.as_ref().map(|cvss3| cvss3.score);
            (
                tenths(cvss3.unwrap_or(known.score)),
                cvss3.is_some(),
                !used.ineffective_vulnerabilities.contains(name),
            )
        };
        match (&policy.filter, cause) {
            (Filter::License { licenses }, Cause::License(name)) => {
                let others_allowed = !policy.is_inclusive;
                licenses.contains(name)
                    && (others_allowed || library.licenses.iter().all(|name| licenses.contains(name)))
            }
            (Filter::VulnerabilitySeverity { severity, effective_only }, Cause::Vulnerability(name)) => {
                let (score, is_cvss3, is_effective) = vulnerability(name);
                let band = match score {
                    90..=100 if is_cvss3 => "critical",
                    70..=100 => "high",
                    40..=69 => "medium",
                    _ => "low",
                };
                band == severity.as_str() && (is_effective || !effective_only)
            }
            (Filter::VulnerabilityScore { from, to }, Cause::Vulnerability(name)) => {
                let (score, ..) = vulnerability(name);
                tenths(*from) <= score && score <= tenths(*to)
            }
            (Filter::Effectiveness { is_effective }, Cause::Vulnerability(name)) => {
                vulnerability(name).2 == *is_effective
            }
            (Filter::GavRegex { group_id, artifact_id, version }, Cause::Library) => {
                let fits = |pattern: &str, text: &str| pattern.is_empty() || fits(pattern, text);
                fits(group_id, &library.group_id)
                    && fits(artifact_id, &library.artifact_id)
                    && fits(version, &library.version)
            }
            (Filter::ResourceNameRegex { pattern }, Cause::Library) => fits(pattern, &library.filename),
            (Filter::LibraryStaleness { older_than_days }, Cause::Library) => {
                let age = (self.now.as_second() - library.released.as_second()) / 86_400;
                age > i64::from(*older_than_days)
            }
            (Filter::Product { product_token }, Cause::Library) => {
                let mut projects =
                    self.world.projects.iter().filter(|row| row.product_token == *product_token);
                projects.any(|project| project.inventory.iter().any(|used| used.key_uuid == library.key_uuid))
            }
            (Filter::PrimaryAttributeValue { value }, Cause::Library) => {
                library.primary_attribute.as_deref().is_some_and(|attribute| fits(value, attribute))
            }
            (Filter::LibraryRequestHistory { decision }, Cause::Library) => {
                library.library_request == Some(*decision)
            }
            _ => false,
        }
    }
}

/// Whether a policy asks for issues, and by this API.
fn opens_issues(policy: &PolicySpec) -> bool {
    policy.action.kind == ActionType::CreateIssue && policy.action.issue_tracker.is_some()
}

/// A score as a whole number, so that bounds compare exactly.
fn tenths(score: f64) -> u32 {
    format!("{score:.1}").replace('.', "").parse().unwrap()
}

/// Whether a pattern fits a text: by trying every length that a `*` could have.
fn fits(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..])),
        '?' => text.chars().next().is_some_and(|next| fits(rest, &text[next.len_utf8()..])),
        _ => text.strip_prefix(first).is_some_and(|after| fits(rest, after)),
    }
}
