//! Who asks.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// An email and an API token as a request shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// The email.
    pub email: String,
    /// The API token.
    pub token: String,
}

/// The pair in an `Authorization` header of the scheme Basic, if there is one.
pub fn basic(authorization: &str) -> Option<Shown> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let encoded = encoded.trim();
    let bytes = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (email, token) = text.split_once(':')?;
    Some(Shown { email: email.to_owned(), token: token.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::basic;

    #[test]
    fn a_pair_is_read_from_its_encoding() {
        let shown = basic("Basic YUBiLmM6dG9rOmVu").unwrap();
        assert_eq!((shown.email.as_str(), shown.token.as_str()), ("a@b.c", "tok:en"));
        assert!(basic("basic  YUBiLmM6eA").is_some());
        for other in ["", "Basic", "Basic !", "Basic YQ==", "Bearer YUBiLmM6dG9rOmVu", "Basic /w=="] {
            assert!(basic(other).is_none(), "{other}");
        }
    }
}
