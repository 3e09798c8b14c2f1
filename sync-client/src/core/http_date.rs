//! Dates as HTTP writes them, in the three forms that RFC 9110 has recipients accept.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

/// The day of the week says nothing that the rest doesn't, so a wrong one is no reason to know nothing.
static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// Reads an HTTP date, e.g. `Sat, 21 Nov 2026 10:00:00 GMT`; `None` if it is none.
pub fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    PARSER.parse_timestamp(text).ok().or_else(|| {
        // RFC 850 writes the whole day of the week and two digits of the year; `asctime` names no zone.
        let without_day = text.split_once([',', ' ']).map_or("", |(_, rest)| rest.trim());
        let forms = ["%d-%b-%y %H:%M:%S GMT", "%b %e %H:%M:%S %Y"];
        let time = forms.iter().find_map(|form| DateTime::strptime(form, without_day).ok())?;
        time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn all_three_forms_are_read() {
        let wanted = "1994-11-06T08:49:37Z".parse().ok();
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "  Sun, 06 Nov 1994 08:49:37 GMT ",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "soon", "120", "1994-11-06T08:49:37Z", "Sun, 31 Feb 1994 08:49:37 GMT"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
