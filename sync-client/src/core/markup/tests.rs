use proptest::prelude::*;

use super::{Block, DEPTH_MAX, Dialect, Inline, fit, parse, wiki};

const SAMPLE: &str = "\
## What **to** do

Upgrade `log4j` to *2.17*, see [the notes](https://example.org/a?b=1) or ~~wait~~.
Second line.

- one
  1. inner
  2. more
- two

> said by
> somebody

```java
int a[] = {1}; // *not* bold
```

| name | value |
|------|-------|
| a | b |

---
End";

#[test]
fn a_text_reads_the_same_in_textile() {
    assert_eq!(
        wiki(&parse(SAMPLE), Dialect::Textile),
        "\
h2. What *to* do

Upgrade @log4j@ to _2.17_, see \"the notes\":https://example.org/a?b=1 or -wait-.
Second line.

* one
*# inner
*# more
* two

> said by
> somebody

<pre><code class=\"java\">
int a[] = {1}; // *not* bold
</code></pre>

|_. name|_. value|
|a|b|

---

End"
    );
}

#[test]
fn a_text_reads_the_same_in_jiras_wiki() {
    assert_eq!(
        wiki(&parse(SAMPLE), Dialect::Jira),
        "\
h2. What *to* do

Upgrade {{log4j}} to _2.17_, see [the notes|https://example.org/a?b=1] or -wait-.
Second line.

* one
*# inner
*# more
* two

{quote}
said by
somebody
{quote}

{noformat}
int a[] = {1}; // *not* bold
{noformat}

||name||value||
|a|b|

----

End"
    );
}

#[test]
fn what_looks_like_markup_is_text() {
    for (markdown, textile, jira) in [
        (r"\*not bold\*", "&#42;not bold*", r"\*not bold*"),
        ("{{toc}} [[Wiki]]", "&#123;{toc}} &#91;[Wiki]]", r"\{\{toc\}\} \[\[Wiki\]\]"),
        ("a - b, x_y_z, 2*3", "a - b, x_y_z, 2*3", "a - b, x_y_z, 2*3"),
        ("see #12", "see &#35;12", r"see \#12"),
        ("<script>x</script>", "&#60;script>x&#60;/script>", "<script>x</script>"),
        ("a\\|b", "a&#124;b", r"a\|b"),
        ("[x](javascript:alert(1))", "x", "x"),
        ("<https://a.example/x_y>", "https://a.example/x_y", "https://a.example/x_y"),
    ] {
        assert_eq!(wiki(&parse(markdown), Dialect::Textile), textile, "{markdown}");
        assert_eq!(wiki(&parse(markdown), Dialect::Jira), jira, "{markdown}");
    }
}

/// Hostile: every character opens a container. Walking and dropping the tree must not exhaust the stack.
#[test]
fn no_text_is_deep() {
    for mark in ["> ", "- ", "1. ", ">", "* > "] {
        let blocks = parse(&format!("{}x", mark.repeat(20_000)));
        assert!(depth(&blocks) <= 2 * DEPTH_MAX, "{mark}");
        assert!(wiki(&blocks, Dialect::Jira).contains('x'), "{mark}");
    }
}

fn depth(blocks: &[Block]) -> usize {
    let of = |block: &Block| match block {
        Block::Quote(inner) => 1 + depth(inner),
        Block::List { items, .. } => 1 + items.iter().map(|item| depth(item)).max().unwrap_or(0),
        _ => 0,
    };
    blocks.iter().map(of).max().unwrap_or(0)
}

fn length(blocks: &[Block]) -> usize {
    wiki(blocks, Dialect::Jira).encode_utf16().count()
}

/// Row 50 of the catalogue: the limit holds for the markup, to the last character, and the end stays.
#[test]
fn a_cut_keeps_the_end_and_breaks_nothing() {
    let text = format!("# Head\n\n{}\n\n---\nKept in step.", "|é😀*x ".repeat(9_000));
    for max in [200, 1_000, 32_767] {
        let cut = fit(parse(&text), max, length);
        let text = wiki(&cut, Dialect::Jira);
        assert!((max - 10..=max).contains(&text.encode_utf16().count()), "{max}: {}", text.len());
        assert!(text.ends_with("… cut\n\n----\n\nKept in step."), "{text}");
    }
    let code = format!("```\n{}\n```", "x\n".repeat(30_000));
    let cut = wiki(&fit(parse(&code), 32_767, length), Dialect::Jira);
    assert_eq!(cut.matches("{noformat}").count(), 2, "the block is closed");
    // What is too long by itself is cut inside, however deep that is.
    let long = "é😀 ".repeat(2_000);
    for start in ["# ", "> ", "- ", "1. > - ", "> - x\n>\n> - "] {
        let cut = wiki(&fit(parse(&format!("{start}{long}")), 1_000, length), Dialect::Jira);
        assert!(cut.matches('é').count() > 230 && cut.ends_with("… cut"), "{start}: {}", cut.chars().count());
    }
    for part in ["- one\n", "> - one\n\nx\n\n", "> one\n>\n"] {
        let cut = wiki(&fit(parse(&part.repeat(9_000)), 1_000, length), Dialect::Jira);
        assert!(cut.matches("one").count() > 20, "{cut}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_fits(
        text in r"([a-z*_`>#|\[\](){}<~!é😀-]|\n|\n\n| |\\|- |> |1\. |    ){0,120}",
        max in 0..200_usize,
    ) {
        let blocks = parse(&text);
        for dialect in [Dialect::Textile, Dialect::Jira] {
            wiki(&blocks, dialect);
        }
        let is_well_formed = |line: &Inline| match line {
            Inline::Text(span) => !span.text.is_empty() && !span.text.contains('\n'),
            Inline::Break => true,
        };
        for block in &blocks {
            if let Block::Paragraph(line) | Block::Heading(_, line) = block {
                prop_assert!(line.iter().all(is_well_formed), "{line:?}");
            }
        }
        let whole = length(&blocks);
        let cut = fit(blocks.clone(), max, length);
        prop_assert!(length(&cut) <= max);
        if whole <= max {
            prop_assert_eq!(cut, blocks);
        }
    }
}
