//! The texts of tickets and comments, from facts of any vendor. Same facts, same text.
//!
//! A text leaves here fit for its tracker: no control characters, no credentials of findings (I12), not longer than the
//! tracker takes, and where something was cut, the text says so and where the rest is. Deliberately absent: what to do
//! with a ticket, and any vendor's field names.

mod fit;
mod mask;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use fit::Units;
pub use mask::{MASK, mask};

use crate::core::model::{GroupId, OpKey, Source};
use crate::ports::{NewTicket, TrackerTraits};

/// The most characters of a label. Jira takes no more.
const LABEL_CHARS_MAX: usize = 255;
/// The title of something that the vendor gave no name.
const NO_TITLE: &str = "Finding without a title";

/// What a ticket says about the items it is made for. Texts are as the vendor gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose finding it is.
    pub source: Source,
    /// What was found, in one line.
    pub what: String,
    /// The vendor's own word, e.g. `HIGH`.
    pub severity: Option<String>,
    /// The app, or the project and library.
    pub place: String,
    /// The vendor's own word, e.g. `OPEN`, at the time the ticket is made.
    pub status: String,
    /// Where people see it at the vendor.
    pub vendor_link: Option<String>,
    /// Longer texts in Markdown: a heading and what it says.
    pub sections: Vec<(String, String)>,
    /// Short facts: a name and a value.
    pub rows: Vec<(String, String)>,
}

/// An item whose status is another one than before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusChange {
    /// What the comment calls the item, e.g. `target 4567`; needed where a ticket stands for several.
    pub item: Option<String>,
    /// What the vendor said before; `None`: not known.
    pub from: Option<String>,
    /// What the vendor says now, in its own word, or ours where it just no longer lists the item.
    pub to: String,
    /// Since when, by the vendor's clock.
    pub since: Option<Timestamp>,
    /// Why, if the vendor says.
    pub reason: Option<String>,
}

/// What the client does with the ticket while it comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing: people decide.
    CommentOnly,
    /// It closes the ticket.
    Closes,
    /// It opens the ticket again.
    Reopens,
}

/// What happens to credentials in the texts of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credentials {
    /// They are replaced by [`MASK`].
    #[default]
    Masked,
    /// They stay: the tracker is trusted with them.
    Shown,
}

/// Writes texts for one tracker.
#[derive(Debug, Clone)]
pub struct Wording {
    title_max: usize,
    text_max: usize,
    units: Units,
    credentials: Credentials,
}

impl Wording {
    /// For a tracker.
    pub fn new(traits: &TrackerTraits, credentials: Credentials) -> Self {
        Self {
            title_max: traits.title_chars_max,
            text_max: traits.text_chars_max,
            units: traits.units,
            credentials,
        }
    }

    /// The ticket for these facts. Labels become single words; empty ones and repetitions go.
    pub fn new_ticket(&self, op: &OpKey, facts: &Facts, labels: &[String]) -> NewTicket {
        NewTicket {
            op: op.clone(),
            title: self.title(facts),
            description: self.description(op, facts),
            labels: labels_of(labels),
        }
    }

    /// A comment about changes of status. The order of the changes does not matter, and equal ones count once.
    pub fn status_comment(
        &self,
        source: Source,
        changes: &[StatusChange],
        consequence: Consequence,
        vendor_link: Option<&str>,
    ) -> String {
        let mut changes: Vec<&StatusChange> = changes.iter().collect();
        changes.sort_unstable();
        changes.dedup();
        let lines: Vec<String> = match changes.as_slice() {
            [] => vec![format!("{}: no status changed.", vendor(source))],
            [change] => vec![format!("{}: {}.", vendor(source), self.sentence(change))],
            several => std::iter::once(format!("{}:", vendor(source)))
                .chain(several.iter().map(|change| format!("- {}", self.sentence(change))))
                .collect(),
        };
        let end = match consequence {
            Consequence::CommentOnly => "",
            Consequence::Closes => "\n\nThis closes the ticket.",
            Consequence::Reopens => "\n\nThis opens the ticket again.",
        };
        let body = self.shown(&lines.join("\n"));
        fit::with_end(&body, end, &self.rest(source, vendor_link), self.text_max, self.units)
    }

    /// Any other comment of the client, e.g. that a ticket stands for a second item from now on.
    pub fn comment(&self, text: &str) -> String {
        fit::cut(&self.shown(text), self.text_max, self.units)
    }

    fn title(&self, facts: &Facts) -> String {
        let what = self.shown_line(&facts.what);
        let what = if what.is_empty() { NO_TITLE.to_owned() } else { what };
        let place = self.shown_line(&facts.place);
        let title = if place.is_empty() { what } else { format!("{what} – {place}") };
        fit::cut(&title, self.title_max, self.units)
    }

    fn description(&self, op: &OpKey, facts: &Facts) -> String {
        let mut body = String::new();
        let mut row = |name: &str, value: &str| {
            let (name, value) = (self.shown_line(name), self.shown_line(value));
            if !value.is_empty() {
                body.push_str(&format!("- **{name}:** {value}\n"));
            }
        };
        row("Found by", vendor(facts.source));
        row("Where", &facts.place);
        row("Severity", facts.severity.as_deref().unwrap_or_default());
        row("Status when this ticket was made", &facts.status);
        facts.rows.iter().for_each(|(name, value)| row(name, value));
        row("Link", facts.vendor_link.as_deref().unwrap_or_default());
        for (heading, text) in &facts.sections {
            let text = fit::close_fence(text.trim());
            if !text.is_empty() {
                body.push_str(&format!("\n## {}\n\n{text}\n", line(heading)));
            }
        }
        // Only the texts of the vendor are masked: the key of the ticket has to stay what it is.
        let body = self.shown(&body);
        let end = format!(
            "\n\n---\nKept in step by sync-client ({op}). It adds comments and changes the status; title, text and labels are yours."
        );
        let rest = self.rest(facts.source, facts.vendor_link.as_deref());
        fit::with_end(&body, &end, &rest, self.text_max, self.units)
    }

    fn sentence(&self, change: &StatusChange) -> String {
        let mut text = match &change.item {
            Some(item) => format!("{}: ", self.shown_line(item)),
            None => String::new(),
        };
        match &change.from {
            Some(from) => text.push_str(&format!(
                "the status changed from {} to {}",
                self.shown_line(from),
                self.shown_line(&change.to)
            )),
            None => text.push_str(&format!("the status is now {}", self.shown_line(&change.to))),
        }
        if let Some(since) = change.since {
            text.push_str(&format!(", since {since}"));
        }
        if let Some(reason) =
            change.reason.as_deref().map(|reason| self.shown_line(reason)).filter(|reason| !reason.is_empty())
        {
            text.push_str(&format!(" ({reason})"));
        }
        text
    }

    /// What stands where a text was cut.
    fn rest(&self, source: Source, vendor_link: Option<&str>) -> String {
        let place = vendor_link.map(|link| self.shown_line(link)).filter(|link| !link.is_empty());
        format!("… cut; the rest is at {}", place.unwrap_or_else(|| vendor(source).to_owned()))
    }

    fn shown(&self, text: &str) -> String {
        let text = clean(text);
        match self.credentials {
            Credentials::Masked => mask(&text),
            Credentials::Shown => text,
        }
    }

    fn shown_line(&self, text: &str) -> String {
        // Masking looks at lines, so line ends are folded only behind it.
        line(&self.shown(&text.replace(|c: char| c.is_control() && c != '\n', " ")))
    }
}

/// The label that says which item a ticket is about; `sync-client tickets` shows it.
pub fn item_label(group: &GroupId) -> String {
    labels_of(&[group.as_str().to_owned()]).pop().unwrap_or_default()
}

fn vendor(source: Source) -> &'static str {
    match source {
        Source::DataTheorem => "Data Theorem",
        Source::Mend => "Mend",
    }
}

fn labels_of(labels: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::with_capacity(labels.len());
    for label in labels {
        let word = line(label).split(' ').collect::<Vec<_>>().join("-");
        let word: String = word.chars().take(LABEL_CHARS_MAX).collect();
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// A text without what no tracker can keep: every kind of line end becomes `\n`, control characters but tabs go, and
/// so do the two characters that XML has no place for.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept = |c: char| match c {
        '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\n' | '\t' => Some(c),
        '\u{fffe}' | '\u{ffff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    };
    text.chars().filter_map(kept).collect()
}

/// A text as one line: control characters, line ends and runs of white space become single spaces.
fn line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
