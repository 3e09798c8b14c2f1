//! The query language, as far as it is played: what a query says, and which issues it means.
//!
//! Fields: project, key, id, labels, status, statusCategory, issuetype, priority, resolution, assignee, reporter,
//! created, updated, resolved, summary, description, comment, text, and the site's own. A word of the language that is
//! not played is refused like an unknown one: a query never means more than it says.

mod lexer;
mod meaning;
mod parser;
mod term;
mod terms;

use std::sync::Arc;

pub use meaning::{Order, SortKey};
pub use parser::{Clause, Expression, Operand, Operator, ParsedQuery, parse};
pub use term::{Term, TimeField};
pub use terms::Terms;

use crate::vendors::jira::store::Issue;

/// A query that makes no sense, with the vendor's sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JqlError {
    /// It is not of the language.
    #[error("Error in the JQL Query: {0}")]
    Syntax(String),
    /// A field, value or operator does not exist or does not fit.
    #[error("{0}")]
    Meaning(String),
    /// An issue that does not exist is named by key or number.
    #[error("{0}")]
    NoSuchIssue(String),
    /// A label with a space is asked for.
    #[error("{0}")]
    LabelSpaces(String),
    /// It is of the language, and not played here.
    #[error("{0}")]
    NotSimulated(String),
}

/// A query that makes sense on a site.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which issues it means; `None`: every issue there is.
    pub restriction: Option<Term>,
    /// The order it asks for.
    pub order: Vec<Order>,
}

impl Query {
    /// Whether an issue is meant.
    pub fn matches(&self, issue: &Arc<Issue>, terms: &Terms<'_>) -> bool {
        self.restriction.as_ref().is_none_or(|term| term.matches(issue, terms.account))
    }
}

/// What a query means on a site.
pub fn understand(text: &str, terms: &Terms<'_>) -> Result<Query, JqlError> {
    let parsed = parse(text)?;
    let restriction = parsed.restriction.as_ref().map(|expression| terms.term(expression)).transpose()?;
    let order = parsed
        .order
        .iter()
        .map(|(field, descending)| meaning::order(field, *descending))
        .collect::<Result<_, _>>()?;
    Ok(Query { restriction, order })
}
