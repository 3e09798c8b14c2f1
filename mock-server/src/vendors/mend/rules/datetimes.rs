//! Dates as requests write them. All of them mean UTC unless they name a zone.

use jiff::Timestamp;
use jiff::civil::{DateTime, date};

use crate::vendors::mend::readings::{ExternalDatetimes, FetchWindowFormat};

/// A bound of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The second it names, or in which its minute begins; seconds since 1970.
    pub second: i64,
    /// Whether it was written without seconds.
    pub in_minutes: bool,
}

/// `YYYY-MM-DD HH:mm:ss`
pub fn with_seconds(text: &str) -> Option<Bound> {
    let [year, month, day, hour, minute, second] = numbers(text, "0000-00-00 00:00:00")?;
    bound(year, month, day, hour, minute, second, false)
}

/// A bound of `fetchProjectPolicyIssues`, in one of the forms that the reading allows: as clients send it
/// (`YYYY-MM-DD HH:mm:ss`), as the table says (`yyyy/mm/dd-hh:mm`), as the example shows (`2022-01-15-00:00`).
pub fn window_bound(text: &str, format: FetchWindowFormat) -> Option<Bound> {
    let slashes = || minutes(text, "0000/00/00-00:00");
    let dashes = || minutes(text, "0000-00-00-00:00");
    match format {
        FetchWindowFormat::Any => with_seconds(text).or_else(slashes).or_else(dashes),
        FetchWindowFormat::Space => with_seconds(text),
        FetchWindowFormat::Slashes => slashes(),
        FetchWindowFormat::Dashes => dashes(),
    }
}

/// A date of a reported issue: `YYYY-MM-DD HH:mm:ss` or `YYYY-MM-DDTHH:mm:ss`, then a fraction and a zone (`Z` or
/// `+02:00`), if at all.
pub fn of_issue(text: &str, form: ExternalDatetimes) -> Option<Timestamp> {
    let seconds = text.get(..19)?;
    let mut rest = &text[19..];
    let [year, month, day, hour, minute, second] = match seconds.as_bytes()[10] {
        b' ' if form != ExternalDatetimes::Iso => numbers(seconds, "0000-00-00 00:00:00")?,
        b'T' if form != ExternalDatetimes::Space => numbers(seconds, "0000-00-00T00:00:00")?,
        _ => return None,
    };
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        nanoseconds = format!("{:0<9}", &fraction[..digits]).parse::<i32>().ok()?;
        rest = &fraction[digits..];
    }
    let zone_seconds = match rest {
        "" | "Z" => 0,
        _ => zone(rest)?,
    };
    let local = date_time(year, month, day, hour, minute, second)?;
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    // `9999-12-31`, which people write for "never", lies a day beyond the last instant there is here.
    let utc = (seconds_since_1970(local) - zone_seconds).clamp(first, last);
    Timestamp::new(utc, nanoseconds).ok()
}

/// `+02:00` in seconds.
fn zone(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&text[1..], "00:00")?;
    (hours < 24 && minutes < 60).then_some(sign * i64::from(hours * 3_600 + minutes * 60))
}

fn minutes(text: &str, form: &str) -> Option<Bound> {
    let [year, month, day, hour, minute] = numbers(text, form)?;
    bound(year, month, day, hour, minute, 0, true)
}

fn bound(
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    in_minutes: bool,
) -> Option<Bound> {
    let local = date_time(year, month, day, hour, minute, second)?;
    Some(Bound { second: seconds_since_1970(local), in_minutes })
}

/// Counted here, because instants end earlier than dates do.
fn seconds_since_1970(local: DateTime) -> i64 {
    local.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_secs()
}

fn date_time(year: u32, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    let year = i16::try_from(year).ok()?;
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()
}

/// The numbers of a text that has digits where `form` has zeros, and otherwise what `form` has.
fn numbers<const N: usize>(text: &str, form: &str) -> Option<[u32; N]> {
    if text.len() != form.len() {
        return None;
    }
    let mut numbers = [0_u32; N];
    let mut place = 0;
    for (byte, expected) in text.bytes().zip(form.bytes()) {
        match expected {
            b'0' if byte.is_ascii_digit() => {
                let number = numbers.get_mut(place)?;
                *number = *number * 10 + u32::from(byte - b'0');
            }
            b'0' => return None,
            _ if byte == expected => place += 1,
            _ => return None,
        }
    }
    (place + 1 == N).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::{ExternalDatetimes, FetchWindowFormat, Timestamp, of_issue, window_bound, with_seconds};

    #[test]
    fn windows_take_three_forms() {
        let of = |text, format| window_bound(text, format).map(|bound| (bound.second, bound.in_minutes));
        let forms = [
            ("1970-01-02 00:00:01", FetchWindowFormat::Space, (86_401, false)),
            ("1970/01/02-00:01", FetchWindowFormat::Slashes, (86_460, true)),
            ("1970-01-02-00:01", FetchWindowFormat::Dashes, (86_460, true)),
        ];
        for (text, format, expected) in forms {
            assert_eq!(of(text, format), Some(expected));
            assert_eq!(of(text, FetchWindowFormat::Any), Some(expected));
            for (_, other, _) in forms.iter().filter(|(_, other, _)| *other != format) {
                assert_eq!(of(text, *other), None);
            }
        }
        for wrong in
            ["", "2022-02-30 00:00:00", "2022-01-15 24:00:00", "2022-01-15", "2022-01-15T00:00:00", "é"]
        {
            assert_eq!(of(wrong, FetchWindowFormat::Any), None, "{wrong}");
        }
        assert_eq!(with_seconds("2022-1-15 00:00:00"), None);
        assert_eq!(of("9999-12-31 23:59:59", FetchWindowFormat::Any), Some((253_402_300_799, false)));
        assert_eq!(of("0000-01-01 00:00:00", FetchWindowFormat::Any), Some((-62_167_219_200, false)));
    }

    #[test]
    fn issues_have_dates_with_or_without_a_zone() {
        let of = |text, form| of_issue(text, form).map(|time| time.to_string());
        let any = |text| of(text, ExternalDatetimes::Any).unwrap_or_default();
        assert_eq!(any("2020-12-23 10:00:00"), "2020-12-23T10:00:00Z");
        assert_eq!(any("2020-12-23T10:00:00+02:00"), "2020-12-23T08:00:00Z");
        assert_eq!(any("2024-05-02T10:11:12.123Z"), "2024-05-02T10:11:12.123Z");
        assert_eq!(any("2024-05-02 10:11:12-00:30"), "2024-05-02T10:41:12Z");
        assert_eq!(of("2020-12-23 10:00:00", ExternalDatetimes::Iso), None);
        assert_eq!(of("2020-12-23T10:00:00Z", ExternalDatetimes::Space), None);
        for wrong in
            ["", "2020-12-23", "2020-12-23T10:00:00.", "2020-12-23T10:00:00z", "2020-12-23T10:00:00+2:00"]
        {
            assert_eq!(any(wrong), "", "{wrong}");
        }
        assert_eq!(any("2020-12-23T10:00:0\u{e9}"), "");
        for never in ["9999-12-31 23:59:59", "9999-12-31T23:59:59.999999999-23:59"] {
            assert_eq!(any(never)[..19], Timestamp::MAX.to_string()[..19], "{never}");
        }
        assert_eq!(any("0000-01-01T00:00:00+23:59"), "-000001-12-31T00:01:00Z");
    }
}
