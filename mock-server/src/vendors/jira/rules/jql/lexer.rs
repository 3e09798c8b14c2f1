//! From text to words.

use super::JqlError;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word that is not quoted.
    Word(String),
    /// A text in quotes.
    Quoted(String),
    /// An operator made of signs.
    Sign(&'static str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}

/// Longest query.
const LONGEST: usize = 100_000;

/// Splits a query.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, JqlError> {
    if text.len() > LONGEST {
        return Err(JqlError::Syntax(format!("the query is longer than {LONGEST} bytes")));
    }
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let signs = ["!=", "!~", ">=", "<=", "=", "~", ">", "<", "!", "&&", "||", "&", "|"];
        if let Some(sign) = signs.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
            continue;
        }
        match first {
            '(' => found.push(Token::Open),
            ')' => found.push(Token::Close),
            ',' => found.push(Token::Comma),
            '"' | '\'' => {
                let (value, after) = quoted(&rest[1..], first)?;
                found.push(Token::Quoted(value));
                rest = after;
                continue;
            }
            _ => {
                let is_end = |letter: char| letter.is_whitespace() || "()=!~<>,\"'&|".contains(letter);
                let end = rest.find(is_end).unwrap_or(rest.len());
                found.push(Token::Word(unreserved(&rest[..end])?));
                rest = &rest[end..];
                continue;
            }
        }
        rest = &rest[1..];
    }
}

/// A text up to its closing quote, and what comes behind that.
fn quoted(text: &str, quote: char) -> Result<(String, &str), JqlError> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Ok((value, &text[place + letter.len_utf8()..])),
            '\\' => match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(escaped @ ('\\' | '"' | '\'' | ' ')) => value.push(escaped),
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                    match code.and_then(char::from_u32) {
                        Some(letter) => value.push(letter),
                        None => {
                            return Err(JqlError::Syntax("an escape \\u has four hex digits.".to_owned()));
                        }
                    }
                }
                _ => {
                    let text = "'\\' is an illegal JQL escape sequence. The valid escape sequences are \\', \\\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX.";
                    return Err(JqlError::Syntax(text.to_owned()));
                }
            },
            letter => value.push(letter),
        }
    }
    Err(JqlError::Syntax("The quoted string has not been completed.".to_owned()))
}

/// A word, unless it has letters that must be quoted.
fn unreserved(word: &str) -> Result<String, JqlError> {
    const RESERVED: &str = "{}*^%$#@[]?;`\\";
    match word.chars().find(|letter| RESERVED.contains(*letter) && !(*letter == '[' || *letter == ']')) {
        Some(letter) => Err(JqlError::Syntax(format!(
            "The character '{letter}' is a reserved JQL character. You must enclose it in a string or use the escape \
             '\\u{:04x}' instead.",
            u32::from(letter)
        ))),
        None => Ok(word.to_owned()),
    }
}
