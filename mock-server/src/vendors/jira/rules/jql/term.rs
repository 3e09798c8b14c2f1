//! What a clause means, and which issues it matches.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::jira::StatusCategory;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::Operator;
use super::meaning::Pattern;
use crate::vendors::jira::account::Account;
use crate::vendors::jira::readings::LabelCase;
use crate::vendors::jira::store::Issue;

/// What a clause means.
#[derive(Debug, Clone)]
pub enum Term {
    /// All of them.
    And(Vec<Term>),
    /// Any of them.
    Or(Vec<Term>),
    /// Not it.
    Not(Box<Term>),
    /// The issue is in one of these projects.
    Project(BTreeSet<u64>),
    /// The issue is one of these.
    Issue(BTreeSet<u64>),
    /// The issue's number in a project, or among all issues where no project is named, compares so.
    Number(Option<u64>, Operator, u64),
    /// It has one of these labels.
    Label(Vec<SmolStr>),
    /// It has any label.
    AnyLabel,
    /// Its status is one of these.
    Status(BTreeSet<u64>),
    /// Its status means one of these.
    Category(Vec<StatusCategory>),
    /// Its type is one of these.
    IssueType(BTreeSet<u64>),
    /// Its priority is one of these.
    Priority(BTreeSet<u64>),
    /// It has any priority.
    AnyPriority,
    /// Its resolution is one of these.
    Resolution(BTreeSet<u64>),
    /// It has any resolution.
    AnyResolution,
    /// It is one of these people's.
    Person(Role, BTreeSet<SmolStr>),
    /// It is anybody's.
    Anybody(Role),
    /// A time compares so.
    Time(TimeField, Operator, Timestamp),
    /// It has that time.
    AnyTime(TimeField),
    /// A text has these words.
    Words(TextField, Pattern),
    /// It has that text.
    AnyText(TextField),
}

/// Who somebody is to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Works on it.
    Assignee,
    /// Reported it.
    Reporter,
}

/// A time of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// When it was made.
    Created,
    /// When it last changed.
    Updated,
    /// When it was resolved.
    Resolved,
}

/// A text of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// Its summary.
    Summary,
    /// Its description.
    Description,
    /// Its comments.
    Comment,
    /// Any of these.
    Text,
    /// A custom field.
    Custom(u64),
}

impl Term {
    /// Whether an issue is meant.
    pub fn matches(&self, issue: &Arc<Issue>, account: &Account) -> bool {
        let directory = account.store.directory();
        match self {
            Self::And(terms) => terms.iter().all(|term| term.matches(issue, account)),
            Self::Or(terms) => terms.iter().any(|term| term.matches(issue, account)),
            Self::Not(term) => !term.matches(issue, account),
            Self::Project(ids) => ids.contains(&issue.project),
            Self::Issue(ids) => ids.contains(&issue.id),
            Self::Number(None, operator, number) => compare(&issue.id, *operator, number),
            Self::Number(Some(project), operator, number) => {
                issue.project == *project && compare(&issue.number(), *operator, number)
            }
            Self::Label(labels) => match account.readings().label_case {
                LabelCase::Sensitive => labels.iter().any(|label| issue.labels.contains(label)),
                LabelCase::Insensitive => {
                    let same = |label: &SmolStr| {
                        issue.labels.iter().any(|has| has.to_lowercase() == label.to_lowercase())
                    };
                    labels.iter().any(same)
                }
            },
            Self::AnyLabel => !issue.labels.is_empty(),
            Self::Status(ids) => ids.contains(&issue.status),
            Self::Category(known) => {
                directory.category(issue.status).is_some_and(|category| known.contains(&category))
            }
            Self::IssueType(ids) => ids.contains(&issue.issue_type),
            Self::Priority(ids) => issue.priority.is_some_and(|id| ids.contains(&id)),
            Self::AnyPriority => issue.priority.is_some(),
            Self::Resolution(ids) => issue.resolution.is_some_and(|id| ids.contains(&id)),
            Self::AnyResolution => issue.resolution.is_some(),
            Self::Person(role, people) => person(issue, *role).is_some_and(|who| people.contains(who)),
            Self::Anybody(role) => person(issue, *role).is_some(),
            Self::Time(field, operator, wanted) => {
                time(issue, *field).is_some_and(|time| compare(&time, *operator, wanted))
            }
            Self::AnyTime(field) => time(issue, *field).is_some(),
            Self::Words(field, pattern) => texts(issue, *field).iter().any(|text| pattern.matches(text)),
            Self::AnyText(field) => !texts(issue, *field).is_empty(),
        }
    }
}

fn compare<T: Ord>(value: &T, operator: Operator, wanted: &T) -> bool {
    match operator {
        Operator::Less => value < wanted,
        Operator::LessOrEqual => value <= wanted,
        Operator::Greater => value > wanted,
        Operator::GreaterOrEqual => value >= wanted,
        _ => value == wanted,
    }
}

fn person(issue: &Issue, role: Role) -> Option<&SmolStr> {
    match role {
        Role::Assignee => issue.assignee.as_ref(),
        Role::Reporter => issue.reporter.as_ref(),
    }
}

fn time(issue: &Issue, field: TimeField) -> Option<Timestamp> {
    match field {
        TimeField::Created => Some(issue.created),
        TimeField::Updated => Some(issue.updated),
        TimeField::Resolved => issue.resolution_date,
    }
}

fn texts(issue: &Issue, field: TextField) -> Vec<String> {
    let summary = || vec![issue.summary.to_string()];
    let description = || issue.description.iter().map(|text| text.text().to_owned()).collect::<Vec<_>>();
    let comments =
        || issue.comments.iter().map(|(_, comment)| comment.body.text().to_owned()).collect::<Vec<_>>();
    match field {
        TextField::Summary => summary(),
        TextField::Description => description(),
        TextField::Comment => comments(),
        TextField::Text => [summary(), description(), comments()].concat(),
        TextField::Custom(id) => issue.custom.get(&id).cloned().into_iter().collect(),
    }
}
