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
    let with_part = |part: Option<&Block>| kept.iter().chain(part).cloned().collect::<Vec<_>>();
    if let Some(part) = body.get(whole).and_then(|next| start(next, &|part| fits(&with_part(Some(part))))) {
        kept = with_part(Some(&part));
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

/// As much of the beginning of a block as fits; `None`: nothing does.
fn start(block: &Block, fits: &dyn Fn(&Block) -> bool) -> Option<Block> {
    match block {
        Block::Code { language, text } => {
            let code =
                |count| Block::Code { language: language.clone(), text: text.chars().take(count).collect() };
            longest(text.chars().count(), code, fits)
        }
        Block::Paragraph(line) => {
            longest(line_width(line), |count| Block::Paragraph(start_of(line, count)), fits)
        }
        Block::Heading(level, line) => {
            longest(line_width(line), |count| Block::Heading(*level, start_of(line, count)), fits)
        }
        Block::Quote(blocks) => start_of_blocks(blocks, &|kept| fits(&Block::Quote(kept))).map(Block::Quote),
        Block::List { start: first, items } => {
            let list = |items: &[Vec<Block>], item: Option<Vec<Block>>| Block::List {
                start: *first,
                items: items.iter().cloned().chain(item).collect(),
            };
            let count = most(items.len(), |count| fits(&list(items.get(..count).unwrap_or_default(), None)));
            let whole = items.get(..count).unwrap_or_default();
            let next = items.get(count).map_or(&[][..], Vec::as_slice);
            let part = start_of_blocks(next, &|part| fits(&list(whole, Some(part))));
            (count > 0 || part.is_some()).then(|| list(whole, part))
        }
        Block::Table(rows) => {
            longest(rows.len(), |count| Block::Table(rows.iter().take(count).cloned().collect()), fits)
        }
        Block::Rule => None,
    }
}

/// The same of several blocks.
fn start_of_blocks(blocks: &[Block], fits: &dyn Fn(Vec<Block>) -> bool) -> Option<Vec<Block>> {
    let first = |count: usize| blocks.iter().take(count).cloned();
    let count = most(blocks.len(), |count| fits(first(count).collect()));
    let with_part = |part: &Block| first(count).chain([part.clone()]).collect();
    let part = blocks.get(count).and_then(|next| start(next, &|part| fits(with_part(part))));
    (count > 0 || part.is_some()).then(|| first(count).chain(part).collect())
}

/// The block of the most parts, at least one and at most `max`, that fits.
fn longest(max: usize, of: impl Fn(usize) -> Block, fits: &dyn Fn(&Block) -> bool) -> Option<Block> {
    let count = most(max, |count| fits(&of(count)));
    (count > 0).then(|| of(count))
}

fn line_width(line: &[Inline]) -> usize {
    line.iter().map(width).sum()
}

fn width(part: &Inline) -> usize {
    match part {
        Inline::Text(span) => span.text.chars().count(),
        Inline::Break => 1,
    }
}

/// The first so many characters of a line.
fn start_of(line: &[Inline], count: usize) -> Vec<Inline> {
    let mut left = count;
    let mut kept = Vec::new();
    for part in line {
        if left == 0 {
            break;
        }
        match part {
            Inline::Break => kept.push(Inline::Break),
            Inline::Text(span) => {
                kept.push(Inline::Text(Span {
                    text: span.text.chars().take(left).collect(),
                    ..span.clone()
                }));
            }
        }
        left = left.saturating_sub(width(part));
    }
    kept
}
