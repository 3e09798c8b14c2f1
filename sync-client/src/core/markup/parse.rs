//! From Markdown to the tree.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{Block, DEPTH_MAX, Inline, Span, Style};

/// Reads Markdown with tables and crossed out text. Every text is Markdown: there is no error.
pub fn parse(markdown: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        builder.take(event);
    }
    builder.finish()
}

/// A container that is not closed yet.
enum Open {
    Quote(Vec<Block>),
    List(Option<u64>, Vec<Vec<Block>>),
    Item(Vec<Block>),
    Table(Vec<Vec<Vec<Inline>>>),
}

#[derive(Default)]
struct Builder {
    done: Vec<Block>,
    open: Vec<Open>,
    /// Of every quote, list and item that began, whether it was opened or was too deep.
    was_opened: Vec<bool>,
    line: Vec<Inline>,
    code: Option<(Option<String>, String)>,
    strong: u32,
    emphasis: u32,
    strike: u32,
    links: Vec<Option<String>>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code)) => code.push_str(&text),
                None => self.prose(&text),
            },
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text, Style::Code);
            }
            // Markup of HTML is text like any other: it may be what was found.
            Event::Html(text) | Event::InlineHtml(text) | Event::FootnoteReference(text) => self.prose(&text),
            Event::SoftBreak | Event::HardBreak => self.line.push(Inline::Break),
            Event::Rule => {
                self.paragraph();
                self.push(Block::Rule);
            }
            Event::TaskListMarker(is_done) => self.prose(if is_done { "[x] " } else { "[ ] " }),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::CodeBlock(kind) => {
                self.paragraph();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        let word = info.split([' ', ',']).next().unwrap_or_default();
                        let is_word =
                            |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '.');
                        (!word.is_empty() && word.chars().all(is_word)).then(|| word.to_owned())
                    }
                    CodeBlockKind::Indented => None,
                };
                self.code = Some((language, String::new()));
            }
            Tag::BlockQuote(_) => self.open(Open::Quote(Vec::new())),
            Tag::List(start) => self.open(Open::List(start, Vec::new())),
            Tag::Item => self.open(Open::Item(Vec::new())),
            Tag::Table(_) => {
                self.paragraph();
                self.open.push(Open::Table(Vec::new()));
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(Open::Table(rows)) = self.open.last_mut() {
                    rows.push(Vec::new());
                }
            }
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strong => self.strong += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.links.push(link(&dest_url)),
            Tag::Paragraph | Tag::Heading { .. } | Tag::HtmlBlock => self.paragraph(),
            Tag::TableCell
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                    self.push(Block::Code { language, text });
                }
            }
            TagEnd::Heading(level) => {
                let line = self.taken_line();
                self.push(Block::Heading(level as u8, line));
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => self.close(),
            TagEnd::Table => {
                if let Some(Open::Table(rows)) = self.open.pop_if(|open| matches!(open, Open::Table(_))) {
                    self.push(Block::Table(rows));
                }
            }
            TagEnd::TableCell => {
                let cell = self.taken_line();
                if let Some(Open::Table(rows)) = self.open.last_mut()
                    && let Some(row) = rows.last_mut()
                {
                    row.push(cell);
                }
            }
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Strikethrough => self.strike = self.strike.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => {
                self.links.pop();
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.paragraph(),
            TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn open(&mut self, container: Open) {
        self.paragraph();
        let is_shallow = self.open.len() < 2 * DEPTH_MAX;
        self.was_opened.push(is_shallow);
        if is_shallow {
            self.open.push(container);
        }
    }

    fn close(&mut self) {
        self.paragraph();
        if self.was_opened.pop() != Some(true) {
            return;
        }
        match self.open.pop() {
            Some(Open::Quote(blocks)) if !blocks.is_empty() => self.push(Block::Quote(blocks)),
            Some(Open::List(start, items)) if !items.is_empty() => self.push(Block::List { start, items }),
            Some(Open::Item(blocks)) => match self.open.last_mut() {
                Some(Open::List(_, items)) => items.push(blocks),
                _ => blocks.into_iter().for_each(|block| self.push(block)),
            },
            Some(Open::Table(rows)) => self.push(Block::Table(rows)),
            Some(Open::Quote(_) | Open::List(..)) | None => {}
        }
    }

    fn push(&mut self, block: Block) {
        match self.open.last_mut() {
            Some(Open::Quote(blocks) | Open::Item(blocks)) => blocks.push(block),
            // What stands in a list too deep for its items becomes an item.
            Some(Open::List(_, items)) => items.push(vec![block]),
            Some(Open::Table(_)) | None => self.done.push(block),
        }
    }

    /// What was read of a line so far is a paragraph.
    fn paragraph(&mut self) {
        let line = self.taken_line();
        if !line.is_empty() {
            self.push(Block::Paragraph(line));
        }
    }

    fn taken_line(&mut self) -> Vec<Inline> {
        let mut line = std::mem::take(&mut self.line);
        while line.last() == Some(&Inline::Break) {
            line.pop();
        }
        line
    }

    fn prose(&mut self, text: &str) {
        let (strong, emphasis, strike) = (self.strong > 0, self.emphasis > 0, self.strike > 0);
        self.text(text, Style::Prose { strong, emphasis, strike });
    }

    fn text(&mut self, text: &str, style: Style) {
        let link = self.links.last().cloned().flatten();
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                self.line.push(Inline::Break);
            }
            match self.line.last_mut() {
                _ if part.is_empty() => {}
                Some(Inline::Text(span)) if span.style == style && span.link == link => {
                    span.text.push_str(part);
                }
                _ => self.line.push(Inline::Text(Span { text: part.to_owned(), style, link: link.clone() })),
            }
        }
    }

    fn finish(mut self) -> Vec<Block> {
        while !self.was_opened.is_empty() {
            self.close();
        }
        self.paragraph();
        self.done
    }
}

/// An address that may stand in a tracker: no scripts, and nothing relative.
fn link(address: &str) -> Option<String> {
    let is_known = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let is_whole = !address.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_known && is_whole).then(|| address.to_owned())
}
