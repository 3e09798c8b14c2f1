//! From words to clauses.

use super::JqlError;
use super::lexer::{Token, tokens};

/// A query as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedQuery {
    /// What stands before ORDER BY.
    pub restriction: Option<Expression>,
    /// Fields to order by, and whether downwards; `None`: as the field likes.
    pub order: Vec<(String, Option<bool>)>,
}

/// Clauses and what binds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All of them.
    And(Vec<Expression>),
    /// Any of them.
    Or(Vec<Expression>),
    /// Not it.
    Not(Box<Expression>),
    /// One clause.
    Clause(Clause),
}

/// A field, an operator, an operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The field as written.
    pub field: String,
    /// The operator.
    pub operator: Operator,
    /// The operand.
    pub operand: Operand,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equals,
    /// `!=`
    NotEquals,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `~`
    Like,
    /// `!~`
    NotLike,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Like => "~",
            Self::NotLike => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A value.
    Value(String),
    /// `EMPTY` or `NULL`.
    Empty,
    /// A call, e.g. `currentUser()`.
    Call(String),
    /// A list.
    List(Vec<Operand>),
}

/// Most clauses and deepest brackets.
const CLAUSES_MAX: usize = 1_000;
const DEPTH_MAX: usize = 50;
/// As the page about search says.
const ORDER_FIELDS_MAX: usize = 7;

/// Reads a query.
pub fn parse(text: &str) -> Result<ParsedQuery, JqlError> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), clauses: 0, depth: 0 };
    let restriction =
        if parser.tokens.peek().is_none() || parser.is_word("order") { None } else { Some(parser.either()?) };
    let order = parser.order()?;
    match parser.tokens.next() {
        None => Ok(ParsedQuery { restriction, order }),
        Some(token) => Err(expecting("either 'OR' or 'AND'", Some(&token))),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    clauses: usize,
    depth: usize,
}

fn expecting(what: &str, got: Option<&Token>) -> JqlError {
    JqlError::Syntax(match got {
        None => format!("Expecting {what} before the end of the query."),
        Some(Token::Word(word) | Token::Quoted(word)) => {
            format!("Expecting {what} but got '{}'.", crate::vendors::jira::rules::denial::shortened(word))
        }
        Some(Token::Sign(sign)) => format!("Expecting {what} but got '{sign}'."),
        Some(Token::Open) => format!("Expecting {what} but got '('."),
        Some(Token::Close) => format!("Expecting {what} but got ')'."),
        Some(Token::Comma) => format!("Expecting {what} but got ','."),
    })
}

impl Parser {
    fn is_word(&mut self, wanted: &str) -> bool {
        matches!(self.tokens.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let is_there = self.is_word(wanted);
        if is_there {
            self.tokens.next();
        }
        is_there
    }

    fn takes_sign(&mut self, wanted: &[&str]) -> bool {
        let is_there = matches!(self.tokens.peek(), Some(Token::Sign(sign)) if wanted.contains(sign));
        if is_there {
            self.tokens.next();
        }
        is_there
    }

    fn either(&mut self) -> Result<Expression, JqlError> {
        let mut parts = vec![self.all()?];
        while self.takes_word("or") || self.takes_sign(&["||", "|"]) {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    fn all(&mut self) -> Result<Expression, JqlError> {
        let mut parts = vec![self.not()?];
        while self.takes_word("and") || self.takes_sign(&["&&", "&"]) {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn not(&mut self) -> Result<Expression, JqlError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(JqlError::Syntax(format!("the query is nested deeper than {DEPTH_MAX}.")));
        }
        let expression = if self.takes_word("not") || self.takes_sign(&["!"]) {
            Expression::Not(Box::new(self.not()?))
        } else if matches!(self.tokens.peek(), Some(Token::Open)) {
            self.tokens.next();
            let inner = self.either()?;
            match self.tokens.next() {
                Some(Token::Close) => inner,
                other => return Err(expecting("')'", other.as_ref())),
            }
        } else {
            Expression::Clause(self.clause()?)
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn clause(&mut self) -> Result<Clause, JqlError> {
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            return Err(JqlError::Syntax(format!("the query has more than {CLAUSES_MAX} clauses.")));
        }
        let field = match self.tokens.next() {
            Some(Token::Word(word) | Token::Quoted(word)) => word,
            other => return Err(expecting("a field name", other.as_ref())),
        };
        let operator = self.operator()?;
        let operand = match operator {
            Operator::In | Operator::NotIn => self.list()?,
            _ => self.operand()?,
        };
        Ok(Clause { field, operator, operand })
    }

    fn operator(&mut self) -> Result<Operator, JqlError> {
        let token = self.tokens.next();
        let what = "operator, got one of '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'IS' and 'NOT IN'";
        Ok(match &token {
            Some(Token::Sign("=")) => Operator::Equals,
            Some(Token::Sign("!=")) => Operator::NotEquals,
            Some(Token::Sign("~")) => Operator::Like,
            Some(Token::Sign("!~")) => Operator::NotLike,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign("<=")) => Operator::LessOrEqual,
            Some(Token::Sign(">")) => Operator::Greater,
            Some(Token::Sign(">=")) => Operator::GreaterOrEqual,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("in") => Operator::In,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("not") => {
                if !self.takes_word("in") {
                    return Err(expecting("'IN'", self.tokens.next().as_ref()));
                }
                Operator::NotIn
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("is") => {
                if self.takes_word("not") {
                    Operator::IsNot
                } else {
                    Operator::Is
                }
            }
            Some(Token::Word(word))
                if ["was", "changed"].iter().any(|known| word.eq_ignore_ascii_case(known)) =>
            {
                let text = format!("this simulator does not play the operator '{word}'");
                return Err(JqlError::NotSimulated(text));
            }
            other => return Err(expecting(what, other.as_ref())),
        })
    }

    fn operand(&mut self) -> Result<Operand, JqlError> {
        match self.tokens.next() {
            Some(Token::Quoted(value)) => Ok(Operand::Value(value)),
            Some(Token::Word(word)) => {
                if matches!(self.tokens.peek(), Some(Token::Open)) {
                    self.tokens.next();
                    return match self.tokens.next() {
                        Some(Token::Close) => Ok(Operand::Call(word)),
                        _ => Err(JqlError::NotSimulated(format!(
                            "this simulator does not play {word}() with arguments"
                        ))),
                    };
                }
                let is = |wanted: &str| word.eq_ignore_ascii_case(wanted);
                if is("empty") || is("null") {
                    Ok(Operand::Empty)
                } else if ["and", "or", "not", "in", "is", "order", "by"].into_iter().any(is) {
                    Err(expecting("a value, list or function", Some(&Token::Word(word))))
                } else {
                    Ok(Operand::Value(word))
                }
            }
            other => Err(expecting("a value, list or function", other.as_ref())),
        }
    }

    fn list(&mut self) -> Result<Operand, JqlError> {
        match self.tokens.peek() {
            Some(Token::Open) => drop(self.tokens.next()),
            // A function may stand for a list.
            _ => return self.operand().map(|operand| Operand::List(vec![operand])),
        }
        let mut values = vec![self.operand()?];
        loop {
            match self.tokens.next() {
                Some(Token::Comma) => values.push(self.operand()?),
                Some(Token::Close) => return Ok(Operand::List(values)),
                other => return Err(expecting("',' or ')'", other.as_ref())),
            }
        }
    }

    fn order(&mut self) -> Result<Vec<(String, Option<bool>)>, JqlError> {
        if !self.takes_word("order") {
            return Ok(Vec::new());
        }
        if !self.takes_word("by") {
            return Err(expecting("'BY'", self.tokens.next().as_ref()));
        }
        let mut order: Vec<(String, Option<bool>)> = Vec::new();
        loop {
            let field = match self.tokens.next() {
                Some(Token::Word(word) | Token::Quoted(word)) => word,
                other => return Err(expecting("a field name", other.as_ref())),
            };
            let descending = if self.takes_word("desc") {
                Some(true)
            } else if self.takes_word("asc") {
                Some(false)
            } else {
                None
            };
            // What is ordered by a field already is not ordered otherwise by the same field.
            if !order.iter().any(|(known, _)| known.eq_ignore_ascii_case(&field)) {
                order.push((field, descending));
            }
            if order.len() > ORDER_FIELDS_MAX {
                let text = format!("The ORDER BY clause has more than {ORDER_FIELDS_MAX} fields.");
                return Err(JqlError::Meaning(text));
            }
            match self.tokens.peek() {
                Some(Token::Comma) => drop(self.tokens.next()),
                _ => return Ok(order),
            }
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}
