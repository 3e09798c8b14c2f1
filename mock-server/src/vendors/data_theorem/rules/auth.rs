//! Who asks, and whether they may.

use fixtures::spec::Rule;
use fixtures::spec::data_theorem as ledger;

use crate::http::reject::Refusal;
use crate::vendors::data_theorem::readings::{
    AppOutOfScope, BearerScheme, MissingPermission, Readings, UnknownId,
};

/// The secret in an `Authorization` header, whether or not anybody owns it.
pub fn secret_of(authorization: Option<&str>) -> Option<&str> {
    let (_, secret) = authorization?.trim().split_once(' ')?;
    Some(secret.trim())
}

/// The secret in an `Authorization` header of the right form.
pub fn secret<'a>(authorization: Option<&'a str>, readings: &Readings) -> Result<&'a str, Refusal> {
    let refuse = |rule, reason: &'static str| Err(Refusal::rule(401, rule, reason));
    let Some(authorization) = authorization else {
        return refuse(
            &ledger::DT_AUTH_REQUIRED,
            "there is no Authorization header; send `Authorization: APIKey <key>`",
        );
    };
    let Some((scheme, secret)) = authorization.trim().split_once(' ') else {
        return refuse(
            &ledger::DT_AUTH_SCHEME,
            "the Authorization header has no scheme; send `APIKey <key>`",
        );
    };
    let bearer = scheme.eq_ignore_ascii_case("bearer");
    if bearer && readings.bearer_scheme == BearerScheme::Refused {
        let reason = "the scheme is Bearer, which only an old page of the vendor shows; send `APIKey <key>`";
        return Err(Refusal::reading(401, &ledger::DT_BEARER_SCHEME, reason));
    }
    if !bearer && !scheme.eq_ignore_ascii_case("apikey") {
        return refuse(&ledger::DT_AUTH_SCHEME, "the scheme of the Authorization header is not APIKey");
    }
    let secret = secret.trim();
    if secret.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("apikey ")) {
        return refuse(
            &ledger::DT_AUTH_REQUIRED,
            "the key itself begins with `APIKey `: the scheme was pasted twice",
        );
    }
    Ok(secret)
}

/// The refusal of a key that nobody has; `nobody` says who was asked, e.g. "no sandbox of this server".
pub fn unknown_key(nobody: &'static str) -> Refusal {
    Refusal::rule(401, &ledger::DT_AUTH_REQUIRED, format!("{nobody} has that API key"))
}

/// Whether a key that has (`granted`) or lacks a permission may go on.
pub fn permission(
    granted: bool,
    rule: &'static Rule,
    permission: &'static str,
    readings: &Readings,
) -> Result<(), Refusal> {
    if granted {
        return Ok(());
    }
    Err(Refusal::rule(
        missing_permission(readings),
        rule,
        format!("the API key lacks the permission {permission}"),
    ))
}

/// The status that answers a key without the permission it needs.
pub fn missing_permission(readings: &Readings) -> u16 {
    match readings.missing_permission {
        MissingPermission::Forbidden => 403,
        MissingPermission::Unauthorized => 401,
    }
}

/// The refusal of an app, or of something in an app, that the key may not see.
pub fn out_of_scope(rule: &'static Rule, mobile_app_id: &str, readings: &Readings) -> Refusal {
    match readings.app_out_of_scope {
        AppOutOfScope::Forbidden => {
            Refusal::rule(403, rule, format!("the API key has no access to mobile app {mobile_app_id}"))
        }
        AppOutOfScope::NotFound => {
            let reason = format!("the API key has no access to mobile app {mobile_app_id}");
            Refusal::reading(404, &ledger::DT_APP_OUT_OF_SCOPE, reason)
        }
    }
}

/// The refusal of an id that does not exist.
pub fn unknown_id(kind: &'static str, id: &str, readings: &Readings) -> Refusal {
    let status = match readings.unknown_id {
        UnknownId::NotFound => 404,
        UnknownId::Forbidden => 403,
    };
    let id: String = id.chars().take(80).collect();
    Refusal::reading(status, &ledger::DT_UNKNOWN_ID, format!("there is no {kind} {id:?}"))
}

#[cfg(test)]
mod tests {
    use super::secret;
    use crate::vendors::data_theorem::readings::{BearerScheme, Readings};

    #[test]
    fn the_scheme_is_compared_without_case() {
        for header in ["APIKey k/1==", "APIKEY k/1==", "apikey   k/1==", " ApiKey k/1== "] {
            assert_eq!(secret(Some(header), &Readings::default()).unwrap(), "k/1==", "{header}");
        }
    }

    #[test]
    fn other_forms_are_refused_with_401() {
        for header in
            [None, Some("k/1=="), Some("Basic abc"), Some("APIKey APIKey k/1=="), Some("Bearer k/1==")]
        {
            assert_eq!(secret(header, &Readings::default()).unwrap_err().status, 401, "{header:?}");
        }
        let old = Readings { bearer_scheme: BearerScheme::Accepted, ..Readings::default() };
        assert_eq!(secret(Some("Bearer k/1=="), &old).unwrap(), "k/1==");
    }
}
