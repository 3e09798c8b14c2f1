//! Lists, page by page.

use http::Method;

use super::wire::ReadRow;
use super::{DataTheorem, Operation};
use crate::adapters::caller::Repeat;
use crate::core::paging::{Next, Paging};
use crate::ports::VendorError;

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Its rows, in the vendor's order. A row may come again, in this page or a later one.
    pub rows: Vec<T>,
    /// Whether every row could be read, and the page says how the list goes on. If not, something may be missing, and
    /// the watermark has to stay where it is.
    pub is_complete: bool,
    /// How many rows the whole list has, if it says so.
    pub total: Option<u64>,
}

/// The pages of a list, asked for one by one. The list was read to its end if no page is an error; after an error there
/// are no further pages. If the vendor refuses a cursor that it handed out, the list is read once more from its start.
pub struct Pages<'a, T> {
    vendor: &'a DataTheorem,
    path: &'static str,
    keys: &'static [&'static str],
    read: ReadRow<T>,
    filters: Vec<(&'static str, String)>,
    paging: Paging,
    place: Place,
    has_restarted: bool,
}

enum Place {
    Start,
    Cursor(String),
    Over,
}

impl<'a, T> Pages<'a, T> {
    pub(super) fn new(
        vendor: &'a DataTheorem,
        path: &'static str,
        keys: &'static [&'static str],
        read: ReadRow<T>,
        filters: Vec<(&'static str, String)>,
    ) -> Self {
        let (paging, place) = (Paging::default(), Place::Start);
        Self { vendor, path, keys, read, filters, paging, place, has_restarted: false }
    }

    fn page(&mut self) -> Result<Page<T>, VendorError> {
        let mut request = self.request()?;
        let mut reply = self.vendor.send(&request, Repeat::Harmless)?;
        let is_refused = matches!(self.place, Place::Cursor(_)) && matches!(reply.status, 400 | 410 | 422);
        if is_refused && !self.has_restarted {
            self.vendor.noticed.see(format!("data-theorem: a cursor of {} is refused", self.path));
            (self.paging, self.place, self.has_restarted) = (Paging::default(), Place::Start, true);
            request = self.request()?;
            reply = self.vendor.send(&request, Repeat::Harmless)?;
        }
        let list = self.vendor.list_page(&request, &reply, self.keys)?;
        let count = list.rows.len();
        let rows: Vec<T> =
            list.rows.into_iter().filter_map(|row| (self.read)(row, &self.vendor.noticed)).collect();
        if !list.says_how_it_goes_on {
            self.vendor.noticed.see(format!("data-theorem: {} without pagination_information", self.path));
        }
        let next = self.paging.after(count, list.cursor.as_deref()).map_err(|endless| {
            VendorError::Malformed { operation: request.operation, reason: endless.to_string() }
        })?;
        self.place = match next {
            Next::Page(cursor) => Place::Cursor(cursor),
            Next::End => Place::Over,
        };
        let is_complete = rows.len() == count && list.says_how_it_goes_on;
        Ok(Page { rows, is_complete, total: list.total })
    }

    /// The filters are sent again with the cursor: they must be the same, and some servers forget them.
    fn request(&self) -> Result<Operation, VendorError> {
        let mut filters = self.filters.clone();
        if let Place::Cursor(cursor) = &self.place {
            filters.push(("cursor", cursor.clone()));
        }
        self.vendor.request(Method::GET, self.path, &filters)
    }
}

impl<T> Iterator for Pages<'_, T> {
    type Item = Result<Page<T>, VendorError>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.place, Place::Over) {
            return None;
        }
        let page = self.page();
        if page.is_err() {
            self.place = Place::Over;
        }
        Some(page)
    }
}

impl<T> std::iter::FusedIterator for Pages<'_, T> {}
