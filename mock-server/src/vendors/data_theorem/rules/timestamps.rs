//! Timestamps in requests (`DT-TIMESTAMP-FORMAT`, `DT-TIMESTAMP-OFFSET-OPTIONAL`).

use jiff::Timestamp;

/// Reads a timestamp in any form the documents allow: RFC 3339, and the offset may be missing, which means
/// UTC. The error is the end of a sentence.
pub fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str = "must be a timestamp such as 2026-01-31T09:30:00.123456+00:00";
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddtdd:dd:dd";
    let fits = |place: usize| {
        let byte = bytes[place];
        match shape[place] {
            b'd' => byte.is_ascii_digit(),
            b't' => byte == b'T' || byte == b't',
            other => byte == other,
        }
    };
    if bytes.len() < shape.len() || !(0..shape.len()).all(fits) || !text.is_ascii() {
        return Err(FORM);
    }
    let fraction = match bytes.get(shape.len()) {
        Some(b'.') => 1 + bytes[shape.len() + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    if fraction == 1 || fraction > 10 {
        return Err(FORM);
    }
    let (local, offset) = text.split_at(shape.len() + fraction);
    let offset = match offset.as_bytes() {
        [] | [b'Z' | b'z'] => "Z",
        [b'+' | b'-', h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) => {
            offset
        }
        [b' ', h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()) => {
            return Err("has a space where its offset begins: a + in a query string must be written as %2B");
        }
        _ => return Err(FORM),
    };
    let offset = if offset == "-00:00" { "Z" } else { offset };
    format!("{local}{offset}").parse().map_err(|_| "names a day or time that does not exist")
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn all_documented_timestamp_forms_are_one_instant() {
        let forms = [
            "2017-11-02T19:25:16.664990-00:00",
            "2017-11-02T19:25:16.664990+00:00",
            "2017-11-02T19:25:16.664990Z",
            "2017-11-02t19:25:16.66499z",
            "2017-11-02T19:25:16.664990",
            "2017-11-02T20:25:16.66499+01:00",
        ];
        for form in forms {
            assert_eq!(timestamp(form).unwrap(), timestamp(forms[0]).unwrap(), "{form}");
        }
        assert!(timestamp("2017-11-02T19:25:16").is_ok());
    }

    #[test]
    fn other_forms_are_refused() {
        for form in [
            "2017-11-02",
            "2017-13-02T19:25:16Z",
            "2017-11-02T25:00:00Z",
            "1509650716",
            "yesterday",
            "2017-11-02T19:25",
            "2017-11-02T19:25:16.Z",
            "2017-11-02T19:25:16+0000",
            "2017-11-02T19:25:16 00:00",
            "2017-11-02 19:25:16Z",
            "２017-11-02T19:25:16Z",
            "2017-11-02T19:25:16.1234567890Z",
            "2017-11-02T19:25:16Z[UTC]",
            "é",
        ] {
            assert!(timestamp(form).is_err(), "{form}");
        }
        assert!(timestamp("2017-11-02T19:25:16 00:00").unwrap_err().contains("%2B"));
    }
}
