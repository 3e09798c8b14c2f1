use proptest::prelude::*;

use super::{
    Consequence, Credentials, Facts, MASK, NO_TITLE, StatusChange, Units, Wording, fit, item_label, mask,
};
use crate::core::model::{GroupId, OpKey, Source};
use crate::ports::{NewTicket, TrackerTraits};

fn traits(title_chars_max: usize, text_chars_max: usize) -> TrackerTraits {
    TrackerTraits {
        name: "test",
        has_unique_key: true,
        search_lag: std::time::Duration::ZERO,
        title_chars_max,
        text_chars_max,
        units: Units::Characters,
    }
}

fn facts() -> Facts {
    Facts {
        source: Source::DataTheorem,
        what: "Passwords are stored in clear".to_owned(),
        severity: Some("HIGH".to_owned()),
        place: "Acme Bank (iOS)".to_owned(),
        status: "OPEN".to_owned(),
        vendor_link: Some("https://www.securetheorem.com/mobile/1".to_owned()),
        sections: vec![("What to do".to_owned(), "Use the keychain.".to_owned())],
        rows: vec![("Importance".to_owned(), "SECURITY_P1, OWASP".to_owned())],
    }
}

fn op() -> OpKey {
    OpKey::of(&GroupId::new("data-theorem/target/1"))
}

fn wording() -> Wording {
    Wording::new(&traits(255, 32_767), Credentials::Masked)
}

fn ticket(facts: &Facts) -> NewTicket {
    wording().new_ticket(&op(), facts, &[])
}

#[test]
fn a_ticket_says_what_where_how_bad_and_how_it_is_kept() {
    let ticket = ticket(&facts());
    assert_eq!(ticket.title, "Passwords are stored in clear – Acme Bank (iOS)");
    let wanted = format!(
        "- **Found by:** Data Theorem\n\
         - **Where:** Acme Bank (iOS)\n\
         - **Severity:** HIGH\n\
         - **Status when this ticket was made:** OPEN\n\
         - **Importance:** SECURITY_P1, OWASP\n\
         - **Link:** https://www.securetheorem.com/mobile/1\n\
         \n## What to do\n\nUse the keychain.\n\n---\n\
         Kept in step by sync-client ({}). It adds comments and changes the status; title, text and labels are yours.",
        op()
    );
    assert_eq!(ticket.description, wanted);
}

#[test]
fn titles_are_one_line_of_the_right_length() {
    for (what, wanted) in [
        ("a\r\nb\tc", "a b c – x"),
        ("  a\u{0}\u{1b}[31m  b ", "a [31m b – x"),
        ("a\u{2028}b\u{85}c", "a b c – x"),
        ("", "Finding without a title – x"),
        (" \n\u{7f}", "Finding without a title – x"),
        ("\"q\" \\ <b> & 'é' 😀", "\"q\" \\ <b> & 'é' 😀 – x"),
    ] {
        let facts = Facts { what: what.to_owned(), place: "x".to_owned(), ..facts() };
        assert_eq!(ticket(&facts).title, wanted, "{what:?}");
    }
    let nowhere = Facts { what: String::new(), place: String::new(), ..facts() };
    assert_eq!(ticket(&nowhere).title, NO_TITLE);
}

#[test]
fn a_cut_falls_between_characters_and_exactly_at_the_limit() {
    let cut = |text: &str, max| fit::cut(text, max, Units::Characters);
    assert_eq!(cut("äöü", 3), "äöü");
    assert_eq!(cut("äöüß", 3), "äö…");
    assert_eq!(cut("a b cd", 5), "a b…", "no space before the dots");
    assert_eq!(cut("👩\u{200d}💻x", 3), "👩…", "no joiner at the end");
    assert_eq!((cut("ab", 1), cut("ab", 0)), ("…".to_owned(), String::new()));
    let utf16 = |text: &str, max| fit::cut(text, max, Units::Utf16);
    assert_eq!(utf16("😀😀", 4), "😀😀");
    assert_eq!(utf16("😀😀", 3), "😀…");
    assert_eq!(utf16("😀😀", 2), "…", "half an emoji is none");
}

#[test]
fn a_description_that_is_too_long_says_so_and_keeps_its_end() {
    for length in [32_000, 32_767, 32_768, 40_000, 1_000_000] {
        let facts = Facts { sections: vec![("Long".to_owned(), "😀".repeat(length))], ..facts() };
        let text = ticket(&facts).description;
        let chars = text.chars().count();
        assert!(chars <= 32_767, "{length}: {chars}");
        assert!(text.ends_with("title, text and labels are yours."), "{length}");
        let is_cut =
            text.contains("\n\n… cut; the rest is at https://www.securetheorem.com/mobile/1\n\n---\n");
        assert_eq!(is_cut, length > 32_000, "{length}");
        if is_cut {
            assert_eq!(chars, 32_767, "as much as fits");
        }
    }
    let unlinked = Facts {
        vendor_link: None,
        source: Source::Mend,
        sections: vec![("Long".to_owned(), "x".repeat(40_000))],
        ..facts()
    };
    assert!(ticket(&unlinked).description.contains("… cut; the rest is at Mend"));
}

#[test]
fn a_code_block_that_is_cut_is_closed() {
    let code = format!("Look:\n\n````rust\n```\n{}\n````\n", "let a = 1;\n".repeat(100));
    let facts = Facts { sections: vec![("Code".to_owned(), code)], ..facts() };
    let text =
        Wording::new(&traits(255, 800), Credentials::Masked).new_ticket(&op(), &facts, &[]).description;
    assert!(text.contains("\n````\n\n… cut;"), "{text}");
    assert!(text.chars().count() <= 800);
    let never_closed = Facts {
        sections: vec![("A".to_owned(), "```\ncode".to_owned()), ("B".to_owned(), "text".to_owned())],
        ..facts
    };
    assert!(ticket(&never_closed).description.contains("```\ncode\n```\n\n## B\n\ntext"));
}

#[test]
fn texts_keep_lines_and_tabs_and_lose_control_characters() {
    let text = "one\r\ntwo\rthree\tx\u{0}\u{8}\u{fffe}\u{2028}four";
    let facts = Facts { sections: vec![("A\nB".to_owned(), text.to_owned())], ..facts() };
    assert!(ticket(&facts).description.contains("## A B\n\none\ntwo\nthree\tx\nfour\n"));
    assert_eq!(wording().comment("a\u{0}b"), "ab");
}

#[test]
fn labels_are_single_words_once() {
    let labels = ["two words", "", " \n", "two  words", "\u{0}x", &"y".repeat(300)].map(str::to_owned);
    let made = wording().new_ticket(&op(), &facts(), &labels).labels;
    assert_eq!(made, ["two-words".to_owned(), "x".to_owned(), "y".repeat(255)]);
    assert_eq!(item_label(&GroupId::new("mend/library/a b/c")), "mend/library/a-b/c");
}

fn change(item: &str, from: Option<&str>, to: &str) -> StatusChange {
    StatusChange {
        item: Some(item.to_owned()),
        from: from.map(str::to_owned),
        to: to.to_owned(),
        since: None,
        reason: None,
    }
}

#[test]
fn a_comment_tells_what_changed_and_what_follows() {
    let one = StatusChange {
        item: None,
        since: Some("2026-01-15T10:00:00Z".parse().unwrap()),
        reason: Some("no longer\nseen".to_owned()),
        ..change("", Some("OPEN"), "CLOSED_FIXED")
    };
    let text = wording().status_comment(Source::DataTheorem, &[one], Consequence::Closes, None);
    assert_eq!(
        text,
        "Data Theorem: the status changed from OPEN to CLOSED_FIXED, since 2026-01-15T10:00:00Z (no longer seen).\n\n\
         This closes the ticket."
    );
    let several = [
        change("target 2", None, "OPEN"),
        change("target 1", Some("NEW"), "OPEN"),
        change("target 2", None, "OPEN"),
    ];
    let text = |changes: &[StatusChange]| {
        wording().status_comment(Source::Mend, changes, Consequence::CommentOnly, None)
    };
    let wanted = "Mend:\n- target 1: the status changed from NEW to OPEN\n- target 2: the status is now OPEN";
    assert_eq!(text(&several), wanted);
    let mut reversed = several;
    reversed.reverse();
    assert_eq!(text(&reversed), wanted, "order does not matter");
}

#[test]
fn a_comment_that_is_too_long_keeps_what_follows_from_it() {
    let changes: Vec<_> = (0..5_000).map(|id| change(&format!("target {id}"), Some("NEW"), "OPEN")).collect();
    let text =
        wording().status_comment(Source::Mend, &changes, Consequence::Reopens, Some("https://m.example/x"));
    assert!(text.chars().count() <= 32_767);
    assert!(text.ends_with("… cut; the rest is at https://m.example/x\n\nThis opens the ticket again."));
}

#[test]
fn credentials_are_masked() {
    for (text, wanted) in [
        ("see https://bob:hunter2@host/x", "see https://bob:[masked]@host/x"),
        ("postgres://u:p@ss:w@db:5432/a", "postgres://u:[masked]@db:5432/a"),
        ("ftp://u:pa/ss@host", "ftp://u:[masked]@host"),
        ("https://username:password@example.com.", "https://username:[masked]@example.com."),
        ("https://0123456789abcdef0123@git.example/r", "https://[masked]@git.example/r"),
        ("Authorization: Bearer abc.def\nnext", "Authorization: [masked]\nnext"),
        ("authorization: APIKey k==", "authorization: [masked]"),
        ("curl -H \"Authorization: Basic dTpw\" https://x", "curl -H \"Authorization: [masked]\" https://x"),
        ("{\"Authorization\": \"Bearer x\", \"a\": 1}", "{\"Authorization\": \"[masked]\", \"a\": 1}"),
        ("Proxy-Authorization: Digest username=\"u\", response=\"r\"", "Proxy-Authorization: [masked]"),
        ("password=hunter2&x=1", "password=[masked]&x=1"),
        ("DB_PASSWORD = hunter2", "DB_PASSWORD = [masked]"),
        ("  password: hunter2\n", "  password: [masked]\n"),
        ("- **Password:** hunter2", "- **Password:** [masked]"),
        ("\"client_secret\": \"s p\",", "\"client_secret\": \"[masked]\","),
        ("'pwd' => 'x y'", "'pwd' => '[masked]'"),
        ("dbPwd := \"x\"", "dbPwd := \"[masked]\""),
        ("?key=0123456789abcdef&y", "?key=[masked]&y"),
        ("api-key: 0123456789abcdef", "api-key: [masked]"),
        ("apiToken=\"abcdefghijklmnop\"", "apiToken=\"[masked]\""),
        ("id AKIAIOSFODNN7EXAMPLE.", "id [masked]."),
        ("(ghp_0123456789abcdef0123)", "([masked])"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIx.c2lnbmF0dXJl", "[masked]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nTU\nTU\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\n[masked]\n-----END RSA PRIVATE KEY-----",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w\nand so on",
            "-----BEGIN PRIVATE KEY-----\n[masked]\nand so on",
        ),
    ] {
        assert_eq!(mask(text), wanted);
    }
}

#[test]
fn what_is_no_credential_is_left_alone() {
    for text in [
        "https://host:8080/path/@user/x",
        "https://registry.example:443/@scope/pkg",
        "ssh://git@host/x",
        "http://[::1]:80/x@y",
        "Authorization: the app does not check it",
        "Password: it must be long and hard to guess",
        "password == other",
        "is_secret: false",
        "key=short",
        "token: internationalization",
        "The monkey: an animal",
        "the line -----BEGIN RSA PRIVATE KEY----- is in the file",
        "eyJhbGciOiJIUzI1NiJ9",
        "at 12:30 = half past",
        "AKIAisaword",
        "[masked] stays",
        "password=[masked]",
    ] {
        assert_eq!(mask(text), text);
    }
}

#[test]
fn every_text_of_the_vendor_is_masked_unless_the_policy_says_otherwise() {
    let leak = "https://bob:hunter2@host";
    let facts = Facts {
        what: leak.to_owned(),
        place: leak.to_owned(),
        severity: Some(leak.to_owned()),
        status: leak.to_owned(),
        vendor_link: Some(leak.to_owned()),
        sections: vec![(leak.to_owned(), leak.to_owned())],
        rows: vec![("password".to_owned(), "hunter2".to_owned()), (leak.to_owned(), "x".to_owned())],
        source: Source::Mend,
    };
    let change = StatusChange { reason: Some(leak.to_owned()), ..change(leak, Some(leak), leak) };
    let texts = |credentials| {
        let wording = Wording::new(&traits(255, 700), credentials);
        let ticket = wording.new_ticket(&op(), &facts, &[]);
        let comment = wording.status_comment(
            Source::Mend,
            std::slice::from_ref(&change),
            Consequence::Closes,
            Some(leak),
        );
        [ticket.title, ticket.description, comment, wording.comment(leak)]
    };
    for text in texts(Credentials::Masked) {
        assert!(!text.contains("hunter2") && text.contains(MASK), "{text}");
    }
    for text in texts(Credentials::Shown) {
        assert!(text.contains("hunter2") && !text.contains(MASK), "{text}");
    }
}

/// A text of a megabyte that is nothing but beginnings takes no more than a moment.
#[test]
fn masking_takes_linear_time() {
    for piece in
        ["://", "key:", "password:", "a=", "-----BEGIN PRIVATE KEY-----", "eyJ", "authorization: a b c "]
    {
        let mut text = piece.repeat(400_000 / piece.len());
        text.push_str(" end of line");
        mask(&text);
    }
}

fn messy() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        2 => "[a-z]{1,6}",
        3 => prop::sample::select(vec![
            "://", "@", ":", "=", "\"", "'", "`", "```\n", "~~~\n", "password", "token", "key", "Authorization", " ",
            "\n", "Bearer ", "[masked]", "[mask", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "AKIA",
            "0123456789abcdef", "eyJ", ".", "**", ">", "\u{200d}", "\0", "\r", "😀",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let pairs = || prop::collection::vec((messy(), messy()), 0..3);
    (messy(), prop::option::of(messy()), messy(), messy(), prop::option::of(messy()), pairs(), pairs())
        .prop_map(|(what, severity, place, status, vendor_link, sections, rows)| Facts {
            source: Source::Mend,
            what,
            severity,
            place,
            status,
            vendor_link,
            sections,
            rows,
        })
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(text in messy()) {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once);
    }

    /// A tracker that checks what it is given never has a reason to refuse.
    #[test]
    fn every_ticket_fits(
        facts in any_facts(), title_max in 1..80_usize, text_max in 0..900_usize,
        labels in prop::collection::vec(messy(), 0..3), utf16: bool, shown: bool,
    ) {
        let units = if utf16 { Units::Utf16 } else { Units::Characters };
        let credentials = if shown { Credentials::Shown } else { Credentials::Masked };
        let wording = Wording::new(&TrackerTraits { units, ..traits(title_max, text_max) }, credentials);
        let ticket = wording.new_ticket(&op(), &facts, &labels);
        prop_assert!(units.count(&ticket.title) <= title_max);
        prop_assert!(units.count(&ticket.description) <= text_max);
        prop_assert!(!ticket.title.is_empty());
        prop_assert!(!ticket.title.chars().any(char::is_control));
        prop_assert!(!ticket.description.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
        prop_assert!(ticket.labels.iter().all(|label| !label.is_empty() && !label.contains(char::is_whitespace)));
        prop_assert_eq!(wording.new_ticket(&op(), &facts, &labels), ticket);
    }

    /// What is cut is a beginning of what was there, and nothing that fits is cut.
    #[test]
    fn a_cut_is_a_beginning(text in messy(), max in 0..80_usize, utf16: bool) {
        let units = if utf16 { Units::Utf16 } else { Units::Characters };
        let cut = fit::cut(&text, max, units);
        prop_assert!(units.count(&cut) <= max);
        if units.count(&text) <= max {
            prop_assert_eq!(cut, text);
        } else {
            prop_assert!(text.starts_with(cut.trim_end_matches('…')));
        }
    }
}
