//! How to get through a list page by page, and when to stop.
//!
//! Pure: it is told what a page contained and says what to do. A list that never ends is an error, not a short list:
//! nothing may be concluded from what was read so far.

use std::collections::BTreeSet;

/// The most pages in a row without a row: cursors may lead to an empty page, but not for ever.
const EMPTY_PAGES_MAX: u32 = 3;
/// The most pages of a list.
const PAGES_MAX: u32 = 20_000;

/// Goes through one list once.
#[derive(Debug, Default)]
pub struct Paging {
    pages: u32,
    empty_pages: u32,
    /// Hashes, so that long cursors take no more room than short ones.
    seen: BTreeSet<[u8; 32]>,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The page that this cursor leads to.
    Page(String),
    /// Nothing: the list was read to its end.
    End,
}

/// A list that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Endless {
    /// A cursor leads back to where it was.
    #[error("the cursor of page {page} was seen before, so the list would never end")]
    CursorAgain {
        /// The page, from 1.
        page: u32,
    },
    /// Pages go on without rows.
    #[error("{EMPTY_PAGES_MAX} pages in a row are empty and yet have a cursor, the last of them page {page}")]
    EmptyPages {
        /// The page, from 1.
        page: u32,
    },
    /// There are more pages than any list has.
    #[error("the list has more than {PAGES_MAX} pages")]
    Pages,
}

impl Paging {
    /// Says how to go on after a page with so many rows, usable or not, and this cursor. The last page has none, or an
    /// empty one.
    pub fn after(&mut self, rows: usize, cursor: Option<&str>) -> Result<Next, Endless> {
        self.pages += 1;
        let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(Next::End) };
        self.empty_pages = if rows == 0 { self.empty_pages + 1 } else { 0 };
        if !self.seen.insert(*blake3::hash(cursor.as_bytes()).as_bytes()) {
            return Err(Endless::CursorAgain { page: self.pages });
        }
        if self.empty_pages >= EMPTY_PAGES_MAX {
            return Err(Endless::EmptyPages { page: self.pages });
        }
        if self.pages >= PAGES_MAX { Err(Endless::Pages) } else { Ok(Next::Page(cursor.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Endless, Next, PAGES_MAX, Paging};

    /// What came of pages with these rows and cursors: the answers until the first that is no further page.
    fn walk(pages: &[(usize, Option<&str>)]) -> Result<usize, Endless> {
        let mut paging = Paging::default();
        for (index, (rows, cursor)) in pages.iter().enumerate() {
            match paging.after(*rows, *cursor)? {
                Next::Page(next) => assert_eq!(Some(next.as_str()), *cursor),
                Next::End => return Ok(index + 1),
            }
        }
        panic!("the list goes on")
    }

    /// Rows 24 and 25 of the catalogue.
    #[test]
    fn lists_end_where_they_say_so_or_not_at_all() {
        for (pages, wanted) in [
            (&[(2, None)][..], Ok(1)),
            (&[(0, None)], Ok(1)),
            (&[(2, Some(""))], Ok(1)),
            (&[(2, Some("a")), (2, Some("b")), (1, None)], Ok(3)),
            (&[(2, Some("a")), (0, None)], Ok(2)),
            (&[(2, Some("a")), (0, Some("b")), (1, None)], Ok(3)),
            (
                &[(0, Some("a")), (0, Some("b")), (1, Some("c")), (0, Some("d")), (0, Some("e")), (0, None)],
                Ok(6),
            ),
            (&[(2, Some("a")), (2, Some("a"))], Err(Endless::CursorAgain { page: 2 })),
            (&[(2, Some("a")), (2, Some("b")), (2, Some("a"))], Err(Endless::CursorAgain { page: 3 })),
            (
                &[(1, Some("a")), (0, Some("b")), (0, Some("c")), (0, Some("d"))],
                Err(Endless::EmptyPages { page: 4 }),
            ),
        ] {
            assert_eq!(walk(pages), wanted, "{pages:?}");
        }
    }

    #[test]
    fn a_list_with_ever_new_cursors_ends_too() {
        let mut paging = Paging::default();
        let end = (1_u32..).find_map(|page| Some((page, paging.after(1, Some(&page.to_string())).err()?)));
        assert_eq!(end, Some((PAGES_MAX, Endless::Pages)));
    }

    proptest! {
        /// Whatever a server sends, there is an end, and it is an error unless the server says that the list is over.
        #[test]
        fn every_list_ends(pages in prop::collection::vec((0_usize..3, prop::option::of("[a-d]{0,2}")), 0..60)) {
            let mut paging = Paging::default();
            let mut distinct = std::collections::BTreeSet::new();
            for (rows, cursor) in &pages {
                match paging.after(*rows, cursor.as_deref()) {
                    Ok(Next::Page(next)) => prop_assert!(distinct.insert(next)),
                    Ok(Next::End) => { prop_assert!(cursor.as_deref().is_none_or(str::is_empty)); break }
                    Err(_) => { prop_assert!(cursor.as_deref().is_some_and(|cursor| !cursor.is_empty())); break }
                }
            }
        }
    }
}
