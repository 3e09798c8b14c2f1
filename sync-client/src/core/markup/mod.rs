//! Markdown as a tree, for trackers with a markup of their own.
//!
//! What vendors write is Markdown; nothing of it is lost but what looks like HTML, which becomes ordinary text. The tree
//! is never deeper than [`DEPTH_MAX`] containers, whatever the text, so that walking it can't exhaust the stack.
//! Deliberately absent: the markups themselves but the two wiki dialects, which are siblings.

mod fit;
mod parse;
#[cfg(test)]
mod tests;
mod wiki;

pub use fit::fit;
pub use parse::parse;
pub use wiki::{Dialect, wiki};

/// The most quotes and lists inside of each other; what is deeper stands in the innermost.
pub const DEPTH_MAX: usize = 6;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A heading, 1 to 6.
    Heading(u8, Vec<Inline>),
    /// A text that is shown as it is.
    Code {
        /// E.g. `java`.
        language: Option<String>,
        /// Without the last line end.
        text: String,
    },
    /// A quote.
    Quote(Vec<Block>),
    /// A list.
    List {
        /// The first number; `None`: it has none.
        start: Option<u64>,
        /// The items.
        items: Vec<Vec<Block>>,
    },
    /// A table; the first row is its head.
    Table(Vec<Vec<Vec<Inline>>>),
    /// A line across.
    Rule,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// A text, never empty and without line ends.
    Text(Span),
    /// A line end.
    Break,
}

/// A text of one style.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The text.
    pub text: String,
    /// How it looks.
    pub style: Style,
    /// Where it leads: `http`, `https` or `mailto`.
    pub link: Option<String>,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Shown as it is.
    Code,
    /// Words.
    Prose {
        /// Bold.
        strong: bool,
        /// Italic.
        emphasis: bool,
        /// Crossed out.
        strike: bool,
    },
}

impl Default for Style {
    fn default() -> Self {
        Self::Prose { strong: false, emphasis: false, strike: false }
    }
}
