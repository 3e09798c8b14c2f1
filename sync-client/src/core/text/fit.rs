//! Making a text fit a tracker's limit, as the tracker counts.

/// How a tracker counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Units {
    /// Unicode characters (scalar values).
    #[default]
    Characters,
    /// UTF-16 code units: an emoji counts two, as in Java and JavaScript.
    Utf16,
}

impl Units {
    fn of(self, c: char) -> usize {
        match self {
            Self::Characters => 1,
            Self::Utf16 => c.len_utf16(),
        }
    }

    /// How long a text is.
    pub fn count(self, text: &str) -> usize {
        text.chars().map(|c| self.of(c)).sum()
    }
}

const ELLIPSIS: &str = "…";
/// What joins two emoji to one; alone at an end it joins nothing.
const JOINER: char = '\u{200d}';

/// At most `max` units of a text; `…` stands for what is gone.
pub(super) fn cut(text: &str, max: usize, units: Units) -> String {
    if units.count(text) <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(units.count(ELLIPSIS));
    let start = start(text, room, units).trim_end();
    if max < units.count(ELLIPSIS) { String::new() } else { format!("{start}{ELLIPSIS}") }
}

/// A body and its end in at most `max` units. The end stays whole; the body is cut if need be, and then `rest` says
/// where the remainder is. Where not even that finds room, as much as fits of the body.
pub(super) fn with_end(body: &str, end: &str, rest: &str, max: usize, units: Units) -> String {
    let body = body.trim_end();
    if units.count(body) + units.count(end) <= max {
        return format!("{body}{end}");
    }
    // A cut inside of a code block leaves it open; closing it costs a line.
    let fence = longest_fence(body).map_or(0, |fence| fence + 1);
    let note = format!("\n\n{rest}{end}");
    let needed = units.count(&note) + fence;
    if needed >= max {
        return cut(body, max, units);
    }
    let start = close_fence(start(body, max - needed, units).trim_end());
    format!("{start}{note}")
}

/// A Markdown text whose last code block is closed.
pub(super) fn close_fence(text: &str) -> String {
    match open_fence(text) {
        Some(fence) => format!("{text}\n{fence}"),
        None => text.to_owned(),
    }
}

/// The first `max` units of a text.
fn start(text: &str, max: usize, units: Units) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += units.of(*c);
        used > max
    });
    let kept = end.map_or(text, |(at, _)| text.get(..at).unwrap_or_default());
    kept.trim_end_matches(JOINER)
}

/// The mark of a line that opens or closes a code block: three or more backticks or tildes, indented by at most three
/// spaces.
fn fence(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.chars().take_while(|c| *c == mark).count();
    // Both marks are one byte long.
    if length >= 3 && line.len() - text.len() <= 3 { text.get(..length) } else { None }
}

/// The fence that closes the code block a text ends in, if it ends in one.
fn open_fence(text: &str) -> Option<&str> {
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let Some(mark) = fence(line) else { continue };
        match open {
            None => open = Some(mark),
            // A block is closed by its own mark, at least as long and with nothing behind it.
            Some(first) if mark.starts_with(first) && line.trim() == mark => open = None,
            Some(_) => {}
        }
    }
    open
}

fn longest_fence(text: &str) -> Option<usize> {
    text.lines().filter_map(fence).map(str::len).max()
}
