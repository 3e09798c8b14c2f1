//! What clauses mean on a site.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixtures::world::jira::StatusCategory;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::meaning::{Pattern, instant};
use super::term::{Role, Term, TextField, TimeField};
use super::{Clause, Expression, JqlError, Operand, Operator};
use crate::vendors::jira::account::{Account, User};
use crate::vendors::jira::readings::UnknownKey;
use crate::vendors::jira::rules::denial::shortened;
use crate::vendors::jira::store::Issue;

/// What queries are read against.
pub struct Terms<'a> {
    /// The site.
    pub account: &'a Account,
    /// Who asks; `None`: nobody knows.
    pub user: Option<&'a User>,
    /// The instant of the question.
    pub now: Timestamp,
}

impl Terms<'_> {
    /// What an expression means.
    pub(super) fn term(&self, expression: &Expression) -> Result<Term, JqlError> {
        Ok(match expression {
            Expression::And(parts) => {
                Term::And(parts.iter().map(|part| self.term(part)).collect::<Result<_, _>>()?)
            }
            Expression::Or(parts) => {
                Term::Or(parts.iter().map(|part| self.term(part)).collect::<Result<_, _>>()?)
            }
            Expression::Not(part) => Term::Not(Box::new(self.term(part)?)),
            Expression::Clause(clause) => self.clause(clause)?,
        })
    }

    fn clause(&self, clause: &Clause) -> Result<Term, JqlError> {
        let name = clause.field.to_lowercase();
        match name.as_str() {
            "project" => self.one_of(clause, |value| self.project(value), Term::Project, None),
            "key" | "issue" | "issuekey" | "id" => self.issue(clause),
            "labels" => self.one_of(
                clause,
                label,
                |labels: BTreeSet<_>| Term::Label(labels.into_iter().collect()),
                Some(Term::AnyLabel),
            ),
            "status" => {
                let rows = &self.account.store.directory().statuses;
                let named = |value: &str| named(rows, |row| (row.id, &row.name), value, "status");
                self.one_of(clause, named, Term::Status, None)
            }
            "statuscategory" => self.one_of(
                clause,
                category,
                |known: BTreeSet<_>| Term::Category(known.into_iter().collect()),
                None,
            ),
            "issuetype" | "type" => {
                let rows = &self.account.store.directory().issue_types;
                let named = |value: &str| named(rows, |row| (row.id, &row.name), value, "issuetype");
                self.one_of(clause, named, Term::IssueType, None)
            }
            "priority" => {
                let rows = &self.account.store.directory().priorities;
                let named = |value: &str| named(rows, |row| (row.id, &row.name), value, "priority");
                self.one_of(clause, named, Term::Priority, Some(Term::AnyPriority))
            }
            "resolution" => self.resolution(clause),
            "assignee" => self.one_of(
                clause,
                |value| self.person(value, "assignee"),
                |who| Term::Person(Role::Assignee, who),
                Some(Term::Anybody(Role::Assignee)),
            ),
            "reporter" => self.one_of(
                clause,
                |value| self.person(value, "reporter"),
                |who| Term::Person(Role::Reporter, who),
                Some(Term::Anybody(Role::Reporter)),
            ),
            "created" | "createddate" => self.time(clause, TimeField::Created),
            "updated" | "updateddate" => self.time(clause, TimeField::Updated),
            "resolved" | "resolutiondate" => self.time(clause, TimeField::Resolved),
            "summary" => words(clause, TextField::Summary),
            "description" => words(clause, TextField::Description),
            "comment" => words(clause, TextField::Comment),
            "text" => words(clause, TextField::Text),
            _ => match self.custom_field(&clause.field) {
                Some(id) => words(clause, TextField::Custom(id)),
                None => Err(no_field(&clause.field)),
            },
        }
    }

    fn custom_field(&self, name: &str) -> Option<u64> {
        let number = name
            .strip_prefix("cf[")
            .and_then(|rest| rest.strip_suffix(']'))
            .or_else(|| name.strip_prefix("customfield_"));
        let number = number.and_then(|id| id.parse::<u64>().ok());
        let mut fields = self.account.store.directory().custom_fields.iter();
        fields
            .find(|field| number == Some(field.id) || field.name.eq_ignore_ascii_case(name))
            .map(|field| field.id)
    }

    /// Clauses that compare with values, one or many. `any` is the term of having a value at all, for fields that may be
    /// empty: such a field, if it is empty, is neither equal nor unequal to anything.
    fn one_of<V: Ord>(
        &self,
        clause: &Clause,
        value: impl Fn(&str) -> Result<V, JqlError>,
        term: impl FnOnce(BTreeSet<V>) -> Term,
        any: Option<Term>,
    ) -> Result<Term, JqlError> {
        let mut values = BTreeSet::new();
        let mut is_empty_meant = false;
        let operands = match &clause.operand {
            Operand::List(operands) => operands.as_slice(),
            single => std::slice::from_ref(single),
        };
        for operand in operands {
            match operand {
                Operand::Value(text) => drop(values.insert(value(text)?)),
                Operand::Empty => is_empty_meant = true,
                Operand::Call(name) if name.eq_ignore_ascii_case("currentUser") => {
                    let own = self.user.map_or_else(String::new, |user| user.spec.account_id.clone());
                    values.insert(value(&own)?);
                }
                Operand::Call(name) => return Err(no_function(name)),
                Operand::List(_) => return Err(JqlError::Syntax("a list has no lists in it.".to_owned())),
            }
        }
        let is_value_needed = matches!(clause.operator, Operator::Is | Operator::IsNot) && !is_empty_meant;
        if is_value_needed || (is_empty_meant && any.is_none()) {
            return Err(unfit_value(clause));
        }
        let found = match any.clone().filter(|_| is_empty_meant) {
            Some(any) if values.is_empty() => Term::Not(Box::new(any)),
            Some(any) => Term::Or(vec![term(values), Term::Not(Box::new(any))]),
            None => term(values),
        };
        match clause.operator {
            Operator::Equals | Operator::In | Operator::Is => Ok(found),
            Operator::NotEquals | Operator::NotIn | Operator::IsNot => {
                let not = Term::Not(Box::new(found));
                Ok(match any {
                    Some(any) => Term::And(vec![any, not]),
                    None => not,
                })
            }
            _ => Err(unfit_operator(clause)),
        }
    }

    fn project(&self, value: &str) -> Result<u64, JqlError> {
        let sees = |key: &str| self.user.is_some_and(|user| user.sees(key));
        let mut projects = self.account.store.projects().filter(|project| sees(&project.spec.key));
        let id: Option<u64> = value.parse().ok();
        let found = projects.find(|project| {
            let spec = &project.spec;
            spec.key.eq_ignore_ascii_case(value)
                || spec.name.eq_ignore_ascii_case(value)
                || id == Some(spec.id)
        });
        found.map(|project| project.spec.id).ok_or_else(|| no_value(value, "project"))
    }

    fn issue(&self, clause: &Clause) -> Result<Term, JqlError> {
        let compares = matches!(
            clause.operator,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual
        );
        if !compares {
            return self.one_of(clause, |value| self.issue_named(value, &clause.field), Term::Issue, None);
        }
        let Operand::Value(value) = &clause.operand else { return Err(unfit_value(clause)) };
        if let Ok(id) = value.parse() {
            return Ok(Term::Number(None, clause.operator, id));
        }
        let number = value.rsplit_once('-').and_then(|(key, number)| Some((key, number.parse().ok()?)));
        let (key, number) = number.ok_or_else(|| unfit_value(clause))?;
        Ok(Term::Number(Some(self.project(key)?), clause.operator, number))
    }

    /// The number of an issue that a query names. A number that no issue has is nobody's.
    fn issue_named(&self, value: &str, field: &str) -> Result<u64, JqlError> {
        let sees = |issue: &&Arc<Issue>| {
            let project = self.account.store.project(issue.project);
            let seen = project.zip(self.user).is_some_and(|(project, user)| user.sees(&project.spec.key));
            seen && !issue.is_hidden
        };
        match self.account.store.issue_of(value).filter(sees) {
            Some(issue) => Ok(issue.id),
            None if self.account.readings().unknown_key == UnknownKey::Empty => Ok(u64::MAX),
            None => {
                let what = if value.bytes().all(|byte| byte.is_ascii_digit()) { "ID" } else { "key" };
                let (value, field) = (shortened(value), shortened(field));
                Err(JqlError::NoSuchIssue(format!(
                    "An issue with {what} '{value}' does not exist for field '{field}'."
                )))
            }
        }
    }

    /// `Unresolved` is a word for having none.
    fn resolution(&self, clause: &Clause) -> Result<Term, JqlError> {
        let rows = &self.account.store.directory().resolutions;
        let mut clause = clause.clone();
        let unresolved = |operand: &mut Operand| {
            if matches!(operand, Operand::Value(value) if value.eq_ignore_ascii_case("unresolved")) {
                *operand = Operand::Empty;
            }
        };
        match &mut clause.operand {
            Operand::List(operands) => operands.iter_mut().for_each(unresolved),
            single => unresolved(single),
        }
        let means_empty = clause.operand == Operand::Empty && clause.operator == Operator::NotEquals;
        if means_empty {
            return Ok(Term::AnyResolution);
        }
        let named = |value: &str| named(rows, |row| (row.id, &row.name), value, "resolution");
        self.one_of(&clause, named, Term::Resolution, Some(Term::AnyResolution))
    }

    fn person(&self, value: &str, field: &str) -> Result<SmolStr, JqlError> {
        let same = |user: &&Arc<User>| {
            let spec = &user.spec;
            spec.account_id == value || spec.email.eq_ignore_ascii_case(value) || spec.display_name == value
        };
        let found = self.account.users.iter().find(same).filter(|_| self.user.is_some());
        found.map(|user| SmolStr::new(&user.spec.account_id)).ok_or_else(|| no_value(value, field))
    }

    fn time(&self, clause: &Clause, field: TimeField) -> Result<Term, JqlError> {
        let wanted = match (&clause.operand, clause.operator) {
            (Operand::Empty, Operator::Is | Operator::Equals) => return Ok(Term::Not(Box::new(Term::AnyTime(field)))),
            (Operand::Empty, Operator::IsNot | Operator::NotEquals) => return Ok(Term::AnyTime(field)),
            (Operand::Call(name), _) if name.eq_ignore_ascii_case("now") => self.now,
            (Operand::Call(name), _) => return Err(no_function(name)),
            (Operand::Value(value), _) => instant(value, self.now).ok_or_else(|| {
                let (value, field) = (shortened(value), shortened(&clause.field));
                JqlError::Meaning(format!(
                    "Date value '{value}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', \
                     'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
                ))
            })?,
            _ => return Err(unfit_value(clause)),
        };
        match clause.operator {
            Operator::Like
            | Operator::NotLike
            | Operator::In
            | Operator::NotIn
            | Operator::Is
            | Operator::IsNot => Err(unfit_operator(clause)),
            Operator::NotEquals => {
                let same = Term::Time(field, Operator::Equals, wanted);
                Ok(Term::And(vec![Term::AnyTime(field), Term::Not(Box::new(same))]))
            }
            operator => Ok(Term::Time(field, operator, wanted)),
        }
    }
}

fn words(clause: &Clause, field: TextField) -> Result<Term, JqlError> {
    let can_be_empty = matches!(field, TextField::Description | TextField::Custom(_));
    match (&clause.operand, clause.operator) {
        (Operand::Empty, Operator::Is) if can_be_empty => Ok(Term::Not(Box::new(Term::AnyText(field)))),
        (Operand::Empty, Operator::IsNot) if can_be_empty => Ok(Term::AnyText(field)),
        (Operand::Value(value), Operator::Like) => Ok(Term::Words(field, Pattern::new(value))),
        (Operand::Value(value), Operator::NotLike) => {
            let words = Term::Words(field, Pattern::new(value));
            Ok(Term::And(vec![Term::AnyText(field), Term::Not(Box::new(words))]))
        }
        (Operand::Call(name), _) => Err(no_function(name)),
        _ => Err(unfit_operator(clause)),
    }
}

fn label(value: &str) -> Result<SmolStr, JqlError> {
    if value.contains(char::is_whitespace) {
        return Err(JqlError::LabelSpaces(format!("The label '{}' can't contain spaces.", shortened(value))));
    }
    Ok(SmolStr::new(value))
}

fn category(value: &str) -> Result<StatusCategory, JqlError> {
    match value.to_lowercase().as_str() {
        "new" | "to do" | "2" => Ok(StatusCategory::New),
        "indeterminate" | "in progress" | "4" => Ok(StatusCategory::Indeterminate),
        "done" | "3" => Ok(StatusCategory::Done),
        _ => Err(no_value(value, "statusCategory")),
    }
}

/// The row with this name, or this number.
fn named<R>(rows: &[R], of: impl Fn(&R) -> (u64, &str), value: &str, field: &str) -> Result<u64, JqlError> {
    let by_name = rows.iter().find(|row| of(row).1.to_lowercase() == value.to_lowercase());
    let id: Option<u64> = value.parse().ok();
    let found = by_name.or_else(|| rows.iter().find(|row| Some(of(row).0) == id));
    found.map(|row| of(row).0).ok_or_else(|| no_value(value, field))
}

fn no_value(value: &str, field: &str) -> JqlError {
    JqlError::Meaning(format!("The value '{}' does not exist for the field '{field}'.", shortened(value)))
}

pub(super) fn no_field(field: &str) -> JqlError {
    let field = shortened(field);
    JqlError::Meaning(format!("Field '{field}' does not exist or you do not have permission to view it."))
}

fn no_function(name: &str) -> JqlError {
    JqlError::NotSimulated(format!("this simulator does not play the function {}()", shortened(name)))
}

fn unfit_operator(clause: &Clause) -> JqlError {
    let (operator, field) = (clause.operator.as_str(), shortened(&clause.field));
    JqlError::Meaning(format!("The operator '{operator}' is not supported by the '{field}' field."))
}

fn unfit_value(clause: &Clause) -> JqlError {
    let (operator, field) = (clause.operator.as_str(), shortened(&clause.field));
    JqlError::Meaning(format!(
        "The operator '{operator}' can't be used with that value for the field '{field}'."
    ))
}
