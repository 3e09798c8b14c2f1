//! From the tree to the two wiki dialects that trackers read: Textile as Redmine does, and Jira's own.

use super::{Block, Inline, Span, Style};

/// A wiki dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Textile (www.redmine.org/projects/redmine/wiki/RedmineTextFormattingTextile).
    Textile,
    /// Jira's (jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all).
    Jira,
}

/// The text in a dialect. What looks like markup in a text of the tree is escaped.
pub fn wiki(blocks: &[Block], dialect: Dialect) -> String {
    let mut writer = Writer { dialect, out: String::new() };
    writer.blocks(blocks, &mut String::new());
    writer.out.trim_end().to_owned()
}

struct Writer {
    dialect: Dialect,
    out: String,
}

impl Writer {
    /// `bullets`: what the items of the lists around begin with, e.g. `*#`.
    fn blocks(&mut self, blocks: &[Block], bullets: &mut String) {
        for block in blocks {
            self.block(block, bullets);
        }
    }

    fn block(&mut self, block: &Block, bullets: &mut String) {
        match block {
            Block::Paragraph(line) => {
                let line = self.line(line);
                self.paragraph(&line);
            }
            Block::Heading(level, line) => {
                // A heading is one line.
                let line = self.line(line).replace('\n', " ");
                self.paragraph(&format!("h{level}. {line}"));
            }
            Block::Code { language, text } => self.code(language.as_deref(), text),
            Block::Quote(blocks) => self.quote(blocks),
            Block::List { start, items } => self.list(start.is_some(), items, bullets),
            Block::Table(rows) => self.table(rows),
            Block::Rule => self.paragraph(match self.dialect {
                Dialect::Textile => "---",
                Dialect::Jira => "----",
            }),
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push_str("\n\n");
    }

    fn code(&mut self, language: Option<&str>, text: &str) {
        let text = match (self.dialect, language) {
            (Dialect::Textile, language) => {
                let text = text.replace("</pre", "&lt;/pre").replace("</code", "&lt;/code");
                match language {
                    Some(language) => format!("<pre><code class=\"{language}\">\n{text}\n</code></pre>"),
                    None => format!("<pre>\n{text}\n</pre>"),
                }
            }
            // A language that Jira does not know makes it refuse to show the block at all.
            (Dialect::Jira, _) => {
                format!("{{noformat}}\n{}\n{{noformat}}", text.replace("{noformat}", "{ noformat}"))
            }
        };
        self.paragraph(&text);
    }

    fn quote(&mut self, blocks: &[Block]) {
        let mut inner = Self { dialect: self.dialect, out: String::new() };
        inner.blocks(blocks, &mut String::new());
        let text = inner.out.trim_end();
        let text = match self.dialect {
            Dialect::Textile => text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
            Dialect::Jira => format!("{{quote}}\n{text}\n{{quote}}"),
        };
        self.paragraph(&text);
    }

    fn list(&mut self, is_numbered: bool, items: &[Vec<Block>], bullets: &mut String) {
        bullets.push(if is_numbered { '#' } else { '*' });
        for item in items {
            let (first, rest) = match item.split_first() {
                Some((Block::Paragraph(line) | Block::Heading(_, line), rest)) => (self.line(line), rest),
                _ => (String::new(), item.as_slice()),
            };
            let first = if first.is_empty() { "…".to_owned() } else { first };
            self.out.push_str(&format!("{bullets} {first}\n"));
            for block in rest {
                match block {
                    Block::List { start, items } => self.list(start.is_some(), items, bullets),
                    Block::Paragraph(line) => {
                        let line = self.line(line);
                        self.out.push_str(&format!("{line}\n"));
                    }
                    other => {
                        self.block(other, bullets);
                        // An empty line would end the list.
                        self.out.truncate(self.out.trim_end_matches('\n').len());
                        self.out.push('\n');
                    }
                }
            }
        }
        bullets.pop();
        if bullets.is_empty() {
            self.out.push('\n');
        }
    }

    fn table(&mut self, rows: &[Vec<Vec<Inline>>]) {
        for (number, row) in rows.iter().enumerate() {
            let (begin, between) = match (self.dialect, number) {
                (Dialect::Textile, 0) => ("|_. ", "|_. "),
                (Dialect::Jira, 0) => ("||", "||"),
                (Dialect::Textile | Dialect::Jira, _) => ("|", "|"),
            };
            let cells: Vec<String> = row.iter().map(|cell| self.cell(cell)).collect();
            let end = if begin == "||" { "||" } else { "|" };
            self.out.push_str(&format!("{begin}{}{end}\n", cells.join(between)));
        }
        self.out.push('\n');
    }

    fn cell(&self, cell: &[Inline]) -> String {
        let text = self.line(cell).replace('\n', " ");
        // An empty cell would be taken for a head.
        if text.is_empty() { " ".to_owned() } else { text }
    }

    fn line(&self, line: &[Inline]) -> String {
        let mut text = String::new();
        for part in line {
            match part {
                Inline::Break => text.push('\n'),
                Inline::Text(span) => {
                    let is_start = text.is_empty() || text.ends_with('\n');
                    text.push_str(&self.span(span, is_start));
                }
            }
        }
        text
    }

    fn span(&self, span: &Span, is_start: bool) -> String {
        let escaped = |text: &str| escape(text, self.dialect, is_start);
        let text = span.text.trim();
        if text.is_empty() {
            return span.text.clone();
        }
        let around = span.text.split_once(text).unwrap_or_default();
        let marked = match span.style {
            Style::Code => self.inline_code(text),
            Style::Prose { strong, emphasis, strike } => {
                let mut marked = escaped(text);
                for (is_on, mark) in [(strike, '-'), (emphasis, '_'), (strong, '*')] {
                    if is_on {
                        marked = format!("{mark}{marked}{mark}");
                    }
                }
                marked
            }
        };
        let linked = match (&span.link, self.dialect) {
            (None, _) => marked,
            (Some(link), _) if link == text => link.clone(),
            (Some(link), Dialect::Textile) => format!("\"{}\":{link}", marked.replace('"', "&quot;")),
            (Some(link), Dialect::Jira) => {
                format!("[{marked}|{}]", link.replace('|', "%7C").replace(']', "%5D"))
            }
        };
        format!("{}{linked}{}", around.0, around.1)
    }

    fn inline_code(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Textile if text.contains('@') || text.contains('|') => {
                format!("<code>{}</code>", text.replace("</code", "&lt;/code").replace('|', "&#124;"))
            }
            Dialect::Textile => format!("@{text}@"),
            Dialect::Jira => format!("{{{{{}}}}}", escape(text, self.dialect, false)),
        }
    }
}

/// A text in which nothing is markup.
fn escape(text: &str, dialect: Dialect, is_start: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let is_first = is_start && before.is_none();
        if is_markup(c, before, next, is_first, dialect) {
            match dialect {
                Dialect::Textile => out.push_str(&format!("&#{};", u32::from(c))),
                Dialect::Jira => {
                    out.push('\\');
                    out.push(c);
                }
            }
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// Whether a character could begin markup where it stands. Marks of style only do at the begin of a word.
fn is_markup(c: char, before: Option<char>, next: Option<char>, is_first: bool, dialect: Dialect) -> bool {
    let follows_word = before.is_some_and(char::is_alphanumeric);
    let ends = next.is_none_or(char::is_whitespace);
    match (dialect, c) {
        (Dialect::Jira, '{' | '}' | '[' | ']' | '|' | '\\') | (Dialect::Textile, '|') => true,
        (Dialect::Textile, '[' | '{') => next == Some(c),
        (Dialect::Textile, '<') => {
            next.is_some_and(|next| next.is_ascii_alphabetic() || next == '/' || next == '!')
        }
        (Dialect::Textile, '@' | '%' | '"') => !follows_word && !ends,
        (_, '*' | '_' | '-' | '+' | '^' | '~' | '?' | '!') => (!follows_word && !ends) || is_first,
        (_, '#') => is_first || next.is_some_and(|next| next.is_ascii_digit()),
        (_, '>') => is_first,
        _ => false,
    }
}
