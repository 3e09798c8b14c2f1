//! Query strings of lists: from text to filters, and how a cursor goes with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fixtures::spec::Rule;
use fixtures::spec::data_theorem as ledger;

use super::bodies::{invalid, nearest};
use super::timestamps::timestamp;
use crate::http::reject::Refusal;
use crate::kernel::cursor::{CursorKey, Position, RowKey};
use crate::vendors::data_theorem::readings::{
    CursorFilters, EmptyResultsSince, EnumCase, MalformedCursor, MalformedFilter, PageSizeParameter, RawPlus,
    Readings, ResultsSinceBound, UnknownParameter,
};
use crate::vendors::data_theorem::store::Since;

/// The largest `page_size`, where one is taken; documented for another list of this API.
const PAGE_SIZE_MAX: usize = 200;

/// A list and the filters it documents.
#[derive(Debug)]
pub struct ListSpec {
    /// Name of the list, part of every cursor so that one list's cursor does not open another's.
    pub name: &'static str,
    /// The filters besides `cursor`.
    pub filters: &'static [FilterSpec],
}

/// A filter of a list.
#[derive(Debug)]
pub struct FilterSpec {
    /// Name of the parameter.
    pub name: &'static str,
    /// The rule that documents it.
    pub rule: &'static Rule,
    /// What its values look like.
    pub values: Values,
    /// Whether it may be given several times.
    pub repeatable: bool,
}

/// What the values of a filter look like.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// Any text.
    Text,
    /// An integer.
    Integer,
    /// A timestamp.
    Timestamp,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// What a list was asked for, in canonical spelling: two spellings of one query are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    values: BTreeMap<&'static str, Vec<String>>,
}

/// A page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The filters, the cursor's included.
    pub filters: Filters,
    /// The last row of the page before.
    pub after: Option<RowKey>,
    /// Rows per page, where the client may say.
    pub page_size: Option<usize>,
    /// What the path says besides the list's name, e.g. the app whose scans are listed.
    pub parent: String,
}

impl PageRequest {
    /// The query as a cursor carries it.
    pub fn canonical(&self, list: &ListSpec) -> String {
        self.filters.canonical(list, &self.parent)
    }
}

/// Where a list stands in the API.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The list.
    pub list: &'static ListSpec,
    /// What the path says besides the list's name; a cursor of one parent does not open another's list.
    pub parent: &'a str,
}

impl Filters {
    /// The value of a filter that is given at most once.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.first().map(String::as_str)
    }

    /// The values of a filter that may be repeated.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// `results_since`.
    pub fn since(&self, readings: &Readings) -> Option<Since> {
        let time = self.one("results_since")?.parse().ok()?;
        Some(Since { time, inclusive: readings.results_since_bound == ResultsSinceBound::Inclusive })
    }

    fn canonical(&self, list: &ListSpec, parent: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(format!("{}/{parent}?", list.name));
        for (name, values) in &self.values {
            for value in values {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// Reads the query string of a list.
pub fn page_request(
    Place { list, parent }: Place<'_>,
    query: &str,
    key: &CursorKey,
    readings: &Readings,
    flags: &mut Vec<String>,
) -> Result<PageRequest, Refusal> {
    let mut given = Filters::default();
    let mut cursor = None;
    let mut page_size = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "cursor" {
            cursor = Some(value);
        } else if name == "page_size" && readings.page_size_parameter == PageSizeParameter::Honoured {
            page_size = Some(read_page_size(&value, readings)?);
        } else if let Some(filter) = list.filters.iter().find(|filter| filter.name == name) {
            given.read(filter, &value, readings, flags)?;
        } else {
            let known: Vec<&str> = list.filters.iter().map(|filter| filter.name).chain(["cursor"]).collect();
            unknown_parameter(&known, &name, readings, flags)?;
        }
    }
    let first_page = |filters| -> Result<PageRequest, Refusal> {
        Ok(PageRequest { filters, after: None, page_size, parent: parent.to_owned() })
    };
    let Some(cursor) = cursor else { return first_page(given) };
    let position = match key.open(&cursor).ok().filter(|position| belongs_to(position, list, parent)) {
        Some(position) => position,
        None if readings.malformed_cursor == MalformedCursor::FirstPage => {
            flags.push("malformed cursor ignored".to_owned());
            return first_page(given);
        }
        None => {
            let reason = "the cursor is none that this list of this sandbox handed out";
            return Err(Refusal::reading(invalid(readings), &ledger::DT_MALFORMED_CURSOR, reason));
        }
    };
    let continues = readings.cursor_filters == CursorFilters::Bound && given.values.is_empty();
    if !continues && given.canonical(list, parent) != position.query {
        let reason = match readings.cursor_filters {
            CursorFilters::Bound => "the cursor was made for other filters; repeat the same ones, or none",
            CursorFilters::Repeated => "the cursor was made for other filters; repeat the same ones",
        };
        return Err(Refusal::reading(invalid(readings), &ledger::DT_CURSOR_FILTERS, reason));
    }
    let filters = Filters::from_canonical(list, &position.query);
    Ok(PageRequest { after: Some(position.after), ..first_page(filters)? })
}

fn belongs_to(position: &Position, list: &ListSpec, parent: &str) -> bool {
    let place = position.query.split_once('?').and_then(|(place, _)| place.split_once('/'));
    place == Some((list.name, parent))
}

fn read_page_size(value: &str, readings: &Readings) -> Result<usize, Refusal> {
    match value.parse() {
        Ok(size) if (1..=PAGE_SIZE_MAX).contains(&size) => Ok(size),
        _ => {
            let reason = format!("page_size must be an integer from 1 to {PAGE_SIZE_MAX}");
            Err(Refusal::reading(invalid(readings), &ledger::DT_PAGE_SIZE_PARAMETER, reason))
        }
    }
}

/// Reads the query string of a request that documents no parameter.
pub fn no_parameters(query: &str, readings: &Readings, flags: &mut Vec<String>) -> Result<(), Refusal> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.try_for_each(|(name, _)| unknown_parameter(&[], &name, readings, flags))
}

fn unknown_parameter(
    known: &[&str],
    name: &str,
    readings: &Readings,
    flags: &mut Vec<String>,
) -> Result<(), Refusal> {
    let name: String = name.chars().take(80).collect();
    let nearest = nearest(&name, known);
    match readings.unknown_parameter {
        UnknownParameter::Ignored => {
            flags.push(format!("unknown query parameter {name:?} ignored{nearest}"));
            Ok(())
        }
        UnknownParameter::Refused => {
            let reason = format!("there is no query parameter {name:?}{nearest}");
            Err(Refusal::reading(invalid(readings), &ledger::DT_UNKNOWN_PARAMETER, reason))
        }
    }
}

impl Filters {
    fn read(
        &mut self,
        filter: &'static FilterSpec,
        value: &str,
        readings: &Readings,
        flags: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        if value.is_empty() && matches!(filter.values, Values::Timestamp) {
            if readings.empty_results_since == EmptyResultsSince::Absent {
                flags.push(format!("empty {} taken as absent", filter.name));
                return Ok(());
            }
            let reason = format!("{} is empty", filter.name);
            return Err(Refusal::reading(invalid(readings), &ledger::DT_EMPTY_RESULTS_SINCE, reason));
        }
        let value = match filter.values.read(value, readings) {
            Ok(value) => value,
            Err(problem) if readings.malformed_filter == MalformedFilter::Ignored => {
                flags.push(format!("malformed {} ignored: {problem}", filter.name));
                return Ok(());
            }
            Err(problem) => {
                let reason = format!("{} {problem}", filter.name);
                return Err(Refusal::rule(invalid(readings), filter.rule, reason));
            }
        };
        let values = self.values.entry(filter.name).or_default();
        if filter.repeatable {
            if let Err(place) = values.binary_search(&value) {
                values.insert(place, value);
            }
        } else if values.is_empty() {
            values.push(value);
        } else {
            flags.push(format!("repeated {} ignored", filter.name));
        }
        Ok(())
    }

    /// Reads back what [`Filters::canonical`] wrote.
    fn from_canonical(list: &'static ListSpec, query: &str) -> Self {
        let mut filters = Self::default();
        let (_, query) = query.split_once('?').unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Some(filter) = list.filters.iter().find(|filter| filter.name == name) {
                filters.values.entry(filter.name).or_default().push(value.into_owned());
            }
        }
        filters
    }
}

impl Values {
    /// The canonical spelling of a value, or what is wrong with it as the end of a sentence.
    fn read(self, value: &str, readings: &Readings) -> Result<String, Cow<'static, str>> {
        match self {
            Self::Text => Ok(value.to_owned()),
            Self::Integer => match value.parse::<i64>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err("must be an integer".into()),
            },
            Self::Timestamp => match timestamp(value) {
                Ok(time) => Ok(time.to_string()),
                Err(_)
                    if readings.raw_plus == RawPlus::Plus && timestamp(&value.replace(' ', "+")).is_ok() =>
                {
                    Ok(timestamp(&value.replace(' ', "+")).map(|time| time.to_string()).unwrap_or_default())
                }
                Err(problem) => Err(problem.into()),
            },
            Self::Words(words) => {
                let value = match readings.enum_case {
                    EnumCase::Exact => Cow::Borrowed(value),
                    EnumCase::Insensitive => Cow::Owned(value.to_ascii_uppercase()),
                };
                if words.contains(&&*value) {
                    Ok(value.into_owned())
                } else {
                    Err(format!("must be one of {}", words.join(", ")).into())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fixtures::spec::data_theorem as ledger;

    use super::{FilterSpec, ListSpec, Place, Values, page_request};
    use crate::kernel::cursor::{CursorKey, Position, RowKey};
    use crate::vendors::data_theorem::readings::{
        CursorFilters, EnumCase, MalformedCursor, MalformedFilter, PageSizeParameter, RawPlus, Readings,
        UnknownParameter,
    };

    static LIST: ListSpec = ListSpec {
        name: "targets",
        filters: &[
            FilterSpec {
                name: "mobile_app_id",
                rule: &ledger::DT_TARGETS_LIST_MOBILE_APP_ID,
                values: Values::Integer,
                repeatable: false,
            },
            FilterSpec {
                name: "results_since",
                rule: &ledger::DT_TARGETS_LIST_RESULTS_SINCE,
                values: Values::Timestamp,
                repeatable: false,
            },
            FilterSpec {
                name: "status_group",
                rule: &ledger::DT_TARGETS_LIST_STATUS_GROUP,
                values: Values::Words(&["CLOSED", "OPEN"]),
                repeatable: false,
            },
        ],
    };

    fn key() -> CursorKey {
        CursorKey::derive(1, "test")
    }

    const TARGETS: Place<'_> = Place { list: &LIST, parent: "" };

    fn canonical(query: &str, readings: &Readings) -> Result<String, String> {
        page_request(TARGETS, query, &key(), readings, &mut vec![])
            .map(|request| request.canonical(&LIST))
            .map_err(|refusal| refusal.because.id().to_string())
    }

    #[test]
    fn two_spellings_of_one_query_are_equal() {
        let plain = Readings::default();
        let one = canonical("results_since=2017-11-02T19:25:16Z&mobile_app_id=13", &plain).unwrap();
        let two = canonical(
            "mobile_app_id=0013&results_since=2017-11-02T20%3a25%3A16%2b01%3A00&results_since=",
            &plain,
        );
        assert_eq!(two.unwrap(), one);
    }

    #[test]
    fn malformed_filters_follow_their_readings() {
        let plain = Readings::default();
        let refused = |query: &str| canonical(query, &plain).unwrap_err();
        assert_eq!(refused("mobile_app_id=abc"), "DT-TARGETS-LIST-MOBILE-APP-ID");
        assert_eq!(refused("mobile_app_id="), "DT-TARGETS-LIST-MOBILE-APP-ID");
        assert_eq!(refused("results_since=2017-11-02T19:25:16+00:00"), "DT-TARGETS-LIST-RESULTS-SINCE");
        assert_eq!(refused("status_group=open"), "DT-TARGETS-LIST-STATUS-GROUP");
        let plus = Readings { raw_plus: RawPlus::Plus, ..plain };
        assert!(canonical("results_since=2017-11-02T19:25:16+00:00", &plus).is_ok());
        let insensitive = Readings { enum_case: EnumCase::Insensitive, ..plain };
        assert!(canonical("status_group=open", &insensitive).unwrap().ends_with("status_group=OPEN"));
        let lenient = Readings { malformed_filter: MalformedFilter::Ignored, ..plain };
        assert_eq!(canonical("mobile_app_id=abc", &lenient).unwrap(), "targets/?");
    }

    #[test]
    fn unknown_parameters_are_flagged_with_a_suggestion() {
        let mut flags = vec![];
        page_request(TARGETS, "requests_since=x&severity=HIGH", &key(), &Readings::default(), &mut flags)
            .unwrap();
        assert_eq!(
            flags,
            [
                r#"unknown query parameter "requests_since" ignored (did you mean "results_since"?)"#,
                r#"unknown query parameter "severity" ignored"#,
            ]
        );
        let strict = Readings { unknown_parameter: UnknownParameter::Refused, ..Readings::default() };
        assert_eq!(canonical("scan_id=1", &strict).unwrap_err(), "dt.unknown-parameter");
    }

    #[test]
    fn a_cursor_is_bound_to_its_filters() {
        let plain = Readings::default();
        let query = canonical("mobile_app_id=13", &plain).unwrap();
        let after = RowKey { micros: 5, id: "9".into() };
        let cursor = key().seal(&Position { after: after.clone(), query: query.clone() });
        let read =
            |query: &str, readings: &Readings| page_request(TARGETS, query, &key(), readings, &mut vec![]);
        let alone = read(&format!("cursor={cursor}"), &plain).unwrap();
        assert_eq!(alone.filters.one("mobile_app_id"), Some("13"));
        assert_eq!(alone.after, Some(after));
        assert_eq!(read(&format!("cursor={cursor}&mobile_app_id=13"), &plain).unwrap(), alone);
        let other = read(&format!("cursor={cursor}&mobile_app_id=14"), &plain).unwrap_err();
        assert_eq!((other.status, other.because.id().as_str()), (400, "dt.cursor-filters"));
        let repeated = Readings { cursor_filters: CursorFilters::Repeated, ..plain };
        assert!(read(&format!("cursor={cursor}"), &repeated).is_err());
        for malformed in ["", "x", "kEgkIjrCzvdns0QISRmoRc35kaXNjby1vcmRlci03"] {
            let refused = read(&format!("cursor={malformed}"), &plain).unwrap_err();
            assert_eq!((refused.status, refused.because.id().as_str()), (400, "dt.malformed-cursor"));
        }
        let foreign = key()
            .seal(&Position { after: RowKey { micros: 5, id: "9".into() }, query: "findings/?".to_owned() });
        assert!(read(&format!("cursor={foreign}"), &plain).is_err());
        let elsewhere = Place { parent: "13", ..TARGETS };
        assert!(page_request(elsewhere, &format!("cursor={cursor}"), &key(), &plain, &mut vec![]).is_err());
        let lenient = Readings { malformed_cursor: MalformedCursor::FirstPage, ..plain };
        assert_eq!(read("cursor=x", &lenient).unwrap().after, None);
    }

    #[test]
    fn a_page_size_counts_only_under_its_reading() {
        let read = |readings: &Readings| {
            page_request(TARGETS, "page_size=7", &key(), readings, &mut vec![]).unwrap()
        };
        assert_eq!(read(&Readings::default()).page_size, None);
        let honoured = Readings { page_size_parameter: PageSizeParameter::Honoured, ..Readings::default() };
        assert_eq!(read(&honoured).page_size, Some(7));
        assert!(page_request(TARGETS, "page_size=201", &key(), &honoured, &mut vec![]).is_err());
    }
}
