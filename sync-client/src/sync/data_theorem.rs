//! Reading Data Theorem: apps with new results, and their targets.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::tickets::Seen;
use super::{Progress, Run, Stop, whole};
use crate::adapters::data_theorem::{App, DataTheorem, Finding, Target};
use crate::core::model::{GroupId, Item, ItemId, Link, ScopeId, Source, Standing, TicketKey};
use crate::core::policy::TargetGroups;
use crate::core::text::Facts;
use crate::ports::VendorError;

const SOURCE: Source = Source::DataTheorem;

/// So many findings of an app are read one by one; for more, all of the app's are listed.
const SINGLE_FINDINGS_MAX: usize = 5;

/// What is read once per app, when the first ticket needs it.
struct Metadata<'v> {
    vendor: &'v DataTheorem,
    app: App,
    findings: BTreeMap<String, Finding>,
    singles: usize,
    is_listed: bool,
}

impl Run<'_> {
    /// Brings everything that changed at Data Theorem in step.
    pub(super) fn data_theorem(&mut self, vendor: &DataTheorem) -> Result<(), Stop> {
        let identity = match vendor.identify() {
            Ok(identity) => identity,
            Err(error) => {
                self.vendor_failed(SOURCE.as_str(), &error);
                return Ok(());
            }
        };
        let scope = self.ledger.scope(&whole(SOURCE))?;
        let is_full = self.is_full_pass_due(&scope);
        let began = self.now();
        let since = self.since(is_full, scope.mark);
        let mut newest = scope.mark;
        let mut is_complete = true;
        let mut due = self.ledger.due_scopes(SOURCE)?;
        for page in vendor.apps(since) {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    self.vendor_failed("the list of apps", &error);
                    is_complete = false;
                    break;
                }
            };
            is_complete &= page.is_complete;
            for app in page.rows {
                let id = app_scope(&app.id);
                due.retain(|due| *due != id);
                newest = newest.max(app.results_last_updated);
                if !self.policy.leave_out_apps.contains(&app.id) {
                    self.app(vendor, app, is_full, identity.server_time)?;
                }
            }
        }
        for id in due {
            let app = id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            match vendor.app(&app) {
                Ok(app) => self.app(vendor, app, is_full, identity.server_time)?,
                Err(error) => self.vendor_failed(id.as_str(), &error),
            }
        }
        if is_full {
            self.look_at_every_ticket(SOURCE)?;
        }
        if is_complete {
            let mark = mark(identity.server_time, newest, began);
            self.ledger.handled(&whole(SOURCE), SOURCE, mark, is_full.then_some(began))?;
        }
        Ok(())
    }

    /// Brings an app's changed targets in step. What fails is looked at again in the next run.
    fn app(
        &mut self,
        vendor: &DataTheorem,
        app: App,
        is_full: bool,
        server_time: Option<Timestamp>,
    ) -> Result<(), Stop> {
        let id = app_scope(&app.id);
        (self.progress)(Progress::Reading(&id));
        let began = self.now();
        let scope = self.ledger.scope(&id)?;
        let since = self.since(is_full, scope.mark);
        let mut newest = scope.mark;
        let mut is_done = true;
        let pages = vendor.targets(&app.id, since);
        let mut metadata = Metadata { vendor, app, findings: BTreeMap::new(), singles: 0, is_listed: false };
        for page in pages {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    self.vendor_failed(id.as_str(), &error);
                    is_done = false;
                    break;
                }
            };
            is_done &= page.is_complete;
            newest = page.rows.iter().fold(newest, |newest, target| newest.max(target.results_last_updated));
            for (group, targets) in self.grouped(page.rows) {
                is_done &= self.targets(&mut metadata, &id, group, &targets)?;
            }
        }
        if is_done {
            let mark = mark(server_time, newest, began);
            self.ledger.handled(&id, SOURCE, mark, is_full.then_some(began))?;
        } else {
            self.ledger.due_again(&id, SOURCE)?;
        }
        Ok(())
    }

    /// The targets of a page by the ticket they share, in the page's order. A row that a page repeats counts once.
    fn grouped(&self, targets: Vec<Target>) -> Vec<(GroupId, Vec<Target>)> {
        let mut groups: Vec<(GroupId, Vec<Target>)> = Vec::new();
        let mut places: BTreeMap<GroupId, usize> = BTreeMap::new();
        for target in targets {
            let group = match (self.policy.group_targets, &target.security_finding_id) {
                (TargetGroups::Finding, Some(finding)) => format!("{SOURCE}/finding/{finding}"),
                (TargetGroups::Finding, None) | (TargetGroups::Target, _) => {
                    format!("{SOURCE}/target/{}", target.id)
                }
            };
            let group = GroupId::new(group);
            let place = *places.entry(group.clone()).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, of_group)) if of_group.iter().any(|known| known.id == target.id) => {}
                Some((_, of_group)) => of_group.push(target),
                None => groups.push((group, vec![target])),
            }
        }
        groups
    }

    fn targets(
        &mut self,
        metadata: &mut Metadata<'_>,
        scope: &ScopeId,
        group: GroupId,
        targets: &[Target],
    ) -> Result<bool, Stop> {
        let items = targets.iter().map(|target| item(target, &group, scope)).collect();
        let mut facts = || metadata.facts(targets);
        self.handle(Seen { source: SOURCE, group, items, reference: String::new(), facts: &mut facts })
    }
}

impl Metadata<'_> {
    /// What a ticket about these targets says.
    fn facts(&mut self, targets: &[Target]) -> Result<Facts, VendorError> {
        // What a group is about is what its first open target is about.
        let target = targets.iter().find(|target| target.standing == Standing::Open).or(targets.first());
        let Some(target) = target else {
            let (operation, reason) = ("describe a group".to_owned(), "it has no targets".to_owned());
            return Err(VendorError::Malformed { operation, reason });
        };
        let finding = match &target.security_finding_id {
            Some(id) => Some(self.finding(id)?),
            None => None,
        };
        let app = &self.app;
        let name = app.name.clone().unwrap_or_else(|| app.id.clone());
        let mut rows = vec![("App".to_owned(), name.clone())];
        let mut row = |name: &str, value: Option<&String>| {
            rows.extend(value.map(|value| (name.to_owned(), value.clone())));
        };
        row("Platform", app.platform.as_ref());
        row("Release type", app.release_type.as_ref());
        row("App in the portal", app.portal_url.as_ref());
        row("Category", finding.as_ref().and_then(|finding| finding.category.as_ref()));
        row("Finding", target.security_finding_id.as_ref());
        for target in targets {
            rows.push(("Target".to_owned(), format!("{} ({})", target.id, target.status)));
        }
        let mut sections = Vec::new();
        let mut section = |heading: &str, text: Option<&String>| {
            sections.extend(text.map(|text| (heading.to_owned(), text.clone())));
        };
        section("Where", target.text.as_ref());
        section("Description", finding.as_ref().and_then(|finding| finding.description.as_ref()));
        section("Recommendation", finding.as_ref().and_then(|finding| finding.recommendation.as_ref()));
        let title = finding.as_ref().and_then(|finding| finding.title.clone());
        Ok(Facts {
            source: SOURCE,
            what: title.unwrap_or_else(|| format!("Target {}", target.id)),
            severity: finding.and_then(|finding| finding.severity),
            place: name,
            status: target.status.clone(),
            vendor_link: target.portal_url.clone(),
            sections,
            rows,
        })
    }

    fn finding(&mut self, id: &str) -> Result<Finding, VendorError> {
        if !self.findings.contains_key(id) && !self.is_listed && self.singles >= SINGLE_FINDINGS_MAX {
            for page in self.vendor.findings_of_app(&self.app.id) {
                self.findings.extend(page?.rows.into_iter().map(|finding| (finding.id.clone(), finding)));
            }
            self.is_listed = true;
        }
        if let Some(known) = self.findings.get(id) {
            return Ok(known.clone());
        }
        let finding = self.vendor.finding(id)?;
        self.singles += 1;
        self.findings.insert(id.to_owned(), finding.clone());
        Ok(finding)
    }
}

fn app_scope(id: &str) -> ScopeId {
    ScopeId::new(format!("{SOURCE}/app/{id}"))
}

fn item(target: &Target, group: &GroupId, scope: &ScopeId) -> Item {
    let link = match &target.external_id {
        Some(key) => Link::Set(TicketKey::new(key.as_str())),
        None => Link::Unset,
    };
    Item {
        id: ItemId::new(format!("{SOURCE}/target/{}", target.id)),
        group: group.clone(),
        scope: scope.clone(),
        standing: target.standing.clone(),
        status: target.status.clone(),
        link,
    }
}

/// Up to when all was seen, by the vendor's clock: its time before the reading began. A server that does not tell the
/// time is taken to be no further than the newest row that it showed.
pub(super) fn mark(
    server_time: Option<Timestamp>,
    newest: Option<Timestamp>,
    client_time: Timestamp,
) -> Option<Timestamp> {
    server_time.or_else(|| newest.map(|newest| newest.min(client_time)))
}
