//! Durations as people write them.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// The longest that any setting makes sense with.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Reads `90s`, `15m`, `1h`, `4d`, `1h 30m`. A day has 24 hours. Not negative, at most 366 days.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration: write e.g. 90s, 15m, 1h or 4d");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if duration > LONGEST {
        return Err(format!("{text:?} is too long: at most 366d"));
    }
    Duration::try_from(duration).map_err(|_| format!("{text:?} is negative"))
}

/// The same, and longer than nothing.
pub fn parse_positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err(format!("{text:?} is no time at all")),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, parse_positive};

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("1h", 3_600),
            (" 4d ", 345_600),
            ("1h 30m", 5_400),
            ("1h30m", 5_400),
            ("2w", 1_209_600),
            ("P1DT1H", 90_000),
            ("1.5h", 5_400),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_explained() {
        for (text, wanted) in [
            ("60", "write e.g. 90s"),
            ("", "write e.g. 90s"),
            ("soon", "write e.g. 90s"),
            ("1mo", "write e.g. 90s"),
            ("1 parsec", "write e.g. 90s"),
            ("-5s", "negative"),
            ("367d", "at most 366d"),
            ("99999999999999999999s", "write e.g. 90s"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(wanted), "{text}: {problem}");
        }
        assert!(parse_positive("0s").is_err_and(|problem| problem.contains("no time at all")));
    }
}
