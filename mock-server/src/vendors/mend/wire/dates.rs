//! Dates as the vendor prints them, all in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::vendors::mend::readings::{Dates, Readings};

/// A day: `2021-01-26`.
pub fn day(instant: Timestamp) -> String {
    print(instant, "%Y-%m-%d")
}

/// A second, without a zone: `2021-03-14 13:08:27`.
pub fn second(instant: Timestamp, readings: &Readings) -> String {
    match readings.dates {
        Dates::PerField => print(instant, "%Y-%m-%d %H:%M:%S"),
        Dates::DaysEverywhere => day(instant),
    }
}

/// A second as vitals have it: `2021-03-14 13:08:27 +0000`.
pub fn vitals(instant: Timestamp, readings: &Readings) -> String {
    match readings.dates {
        Dates::PerField => print(instant, "%Y-%m-%d %H:%M:%S %z"),
        Dates::DaysEverywhere => day(instant),
    }
}

fn print(instant: Timestamp, format: &str) -> String {
    instant.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{day, second, vitals};
    use crate::vendors::mend::readings::Readings;

    #[test]
    fn every_form_is_in_utc_and_the_reading_makes_all_of_them_days() {
        let instant: Timestamp = "2021-03-14T23:08:27.9-04:00".parse().unwrap();
        let mut readings = Readings::default();
        assert_eq!(day(instant), "2021-03-15");
        assert_eq!(second(instant, &readings), "2021-03-15 03:08:27");
        assert_eq!(vitals(instant, &readings), "2021-03-15 03:08:27 +0000");
        readings.set("mend.dates", "days-everywhere").unwrap();
        assert_eq!([second(instant, &readings), vitals(instant, &readings)], ["2021-03-15", "2021-03-15"]);
    }
}
