//! Making a text fit a limit that counts the markup, not the Markdown.

use super::{Block, Inline, Span};

/// What stands where something was cut.
const NOTE: &str = "… cut";

/// As many of the blocks as are no longer than `max` by `length`. The end behind the last line across stays whole; what
/// is cut before it ends in a note. Nothing that fits is cut, and no character or block is broken.
pub fn fit(blocks: Vec<Block>, max: usize, length: impl Fn(&[Block]) -> usize) -> Vec<Block> {
    if length(&blocks) <= max {
        return blocks;
    }
    let rule = blocks.iter().rposition(|block| *block == Block::Rule).unwrap_or(blocks.len());
    let (body, end) = blocks.split_at(rule);
    let with_end = |kept: &[Block], end: &[Block]| {
        let note = Block::Paragraph(vec![Inline::Text(Span { text: NOTE.to_owned(), ..Span::default() })]);
        [kept, &[note], end].concat()
    };
    // An end that leaves no room for anything else is no end.
    let end = if length(&with_end(&[], end)) <= max { end } else { &[] };
    let fits = |kept: &[Block]| length(&with_end(kept, end)) <= max;
    let whole = most(body.len(), |count| fits(body.get(..count).unwrap_or_default()));
    let mut kept = body.get(..whole).unwrap_or_default().to_vec();
    if let Some(next) = body.get(whole) {
        let parts = match next {
            Block::Code { text, .. } => text.chars().count(),
            Block::Paragraph(line) => line.iter().map(width).sum(),
            Block::Quote(blocks) => blocks.len(),
            Block::List { items, .. } => items.len(),
            Block::Table(rows) => rows.len(),
            Block::Heading(..) | Block::Rule => 0,
        };
        let with_start = |count: usize| [kept.as_slice(), &[start(next, count)]].concat();
        let count = most(parts, |count| fits(&with_start(count)));
        if count > 0 {
            kept = with_start(count);
        }
    }
    let cut = with_end(&kept, end);
    if length(&cut) <= max { cut } else { Vec::new() }
}

/// The largest number up to `max` that a property holds for that holds for all smaller ones.
fn most(max: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, max);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn width(part: &Inline) -> usize {
    match part {
        Inline::Text(span) => span.text.chars().count(),
        Inline::Break => 1,
    }
}

/// The first so many characters of a paragraph or code block; of others the first so many of what they hold.
fn start(block: &Block, count: usize) -> Block {
    match block {
        Block::Code { language, text } => {
            Block::Code { language: language.clone(), text: text.chars().take(count).collect() }
        }
        Block::Quote(blocks) => Block::Quote(blocks.iter().take(count).cloned().collect()),
        Block::List { start, items } => {
            Block::List { start: *start, items: items.iter().take(count).cloned().collect() }
        }
        Block::Table(rows) => Block::Table(rows.iter().take(count).cloned().collect()),
        Block::Paragraph(line) => {
            let mut left = count;
            let mut kept = Vec::new();
            for part in line {
                if left == 0 {
                    break;
                }
                match part {
                    Inline::Break => kept.push(Inline::Break),
                    Inline::Text(span) => kept.push(Inline::Text(Span {
                        text: span.text.chars().take(left).collect(),
                        ..span.clone()
                    })),
                }
                left = left.saturating_sub(width(part));
            }
            Block::Paragraph(kept)
        }
        Block::Heading(..) | Block::Rule => block.clone(),
    }
}
