//! Who may use the control plane: nobody's web page, and only the bearer of the token where there is one.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Request, header};

use super::problem::Problem;
use crate::server::Server;

/// Refuses foreign origins and hosts, and requests without the token.
pub(super) async fn guard(State(server): State<Arc<Server>>, request: Request<Body>, next: Next) -> Response {
    let token = server.settings().admin_token.as_ref().map(|token| token.0.as_str());
    // Whether this is a simulator at all is nobody's secret, and asked before anybody knows a token.
    let open_to_all = request.uri().path() == "/health";
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    match check(request.headers(), authority, token, open_to_all) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Decides by the headers; `authority` is the host that HTTP/2 and proxies put into the request line.
fn check(
    headers: &HeaderMap,
    authority: Option<&str>,
    token: Option<&str>,
    open_to_all: bool,
) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(|value| value.to_str().unwrap_or_default()).or(authority);
    // With a token, a stranger's page gets nowhere even if it makes a browser send a foreign host name.
    if token.is_none() && !host.is_none_or(is_local) {
        return Err(Problem::forbidden(
            "the Host header names neither this machine nor a loopback address; a foreign name could belong to a web page",
        ));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let same =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        if same.is_none() || same != host {
            return Err(Problem::forbidden(
                "the Origin header names another site: web pages may not use this",
            ));
        }
    }
    let Some(token) = token.filter(|_| !open_to_all) else { return Ok(()) };
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
    // Digests are compared, so that the time it takes says nothing about the token.
    match shown {
        Some(shown) if blake3::hash(shown.as_bytes()) == blake3::hash(token.as_bytes()) => Ok(()),
        _ => Err(Problem::unauthorized("send the admin token as `Authorization: Bearer TOKEN`")),
    }
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::check;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn foreign_hosts_and_origins_are_refused() {
        let status = |pairs: &[(&str, &str)]| {
            check(&headers(pairs), None, None, false).err().map(|problem| problem.status())
        };
        for host in ["127.0.0.1:8700", "localhost:1", "LOCALHOST", "[::1]:8700", "127.0.0.2"] {
            assert_eq!(status(&[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "evil.example:8700", "localhost.evil.example", "10.0.0.1:8700", ""] {
            assert_eq!(status(&[("host", host)]), Some(403), "{host:?}");
        }
        assert_eq!(status(&[("host", "localhost:1"), ("origin", "http://localhost:1")]), None);
        for origin in ["http://evil.example", "null", "http://localhost:2"] {
            assert_eq!(status(&[("host", "localhost:1"), ("origin", origin)]), Some(403), "{origin}");
        }
    }

    #[test]
    fn a_token_is_asked_for_where_there_is_one() {
        let status = |pairs: &[(&str, &str)]| {
            check(&headers(pairs), None, Some("t"), false).err().map(|problem| problem.status())
        };
        assert_eq!(status(&[("host", "box.example"), ("authorization", "Bearer t")]), None);
        for authorization in ["Bearer u", "t", "Bearer ", "Basic t"] {
            assert_eq!(status(&[("host", "box.example"), ("authorization", authorization)]), Some(401));
        }
        assert_eq!(status(&[("host", "box.example")]), Some(401));
        assert!(check(&headers(&[("host", "box.example")]), None, Some("t"), true).is_ok());
        let foreign =
            [("host", "box.example"), ("authorization", "Bearer t"), ("origin", "http://evil.example")];
        assert_eq!(status(&foreign), Some(403));
    }
}
