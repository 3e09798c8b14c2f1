//! Saboteurs of reading issues.

use std::sync::Arc;

use http::HeaderValue;

use super::super::Saboteur;
use super::super::layers::{becomes, is, reply_to};
use super::{READ, first_answers, last_part, login};

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/issues/unknown-issue-404",
            "answers 410 for an issue that never was",
            reply_to(READ, |request, reply| {
                if reply.status == 404 && last_part(request).ends_with("999999999") {
                    reply.status = 410;
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/issue-out-of-sight-404",
            "answers 403 for an issue that the user may not see",
            Arc::new(|request, healthy| {
                let mut reply = healthy.send(request.clone())?;
                let email = login(&request).map(|(email, _)| email).unwrap_or_default();
                if is(&request, READ[0]) && reply.status == 404 && email.starts_with("limited") {
                    reply.status = 403;
                }
                Ok(reply)
            }),
        ),
        Saboteur::new(
            "jira/issues/moved-issue-by-its-old-key",
            "sends who asks for a moved issue to its new address",
            reply_to(READ, |request, reply| {
                let json = reply.json().unwrap_or_default();
                let (asked, key) = (last_part(request), json["key"].as_str().unwrap_or_default());
                let project = |key: &str| key.split('-').next().unwrap_or_default().to_uppercase();
                if asked.contains('-') && !key.is_empty() && project(&asked) != project(key) {
                    let place = request.url.replace(&asked, key);
                    becomes(reply, 303);
                    if let Ok(place) = HeaderValue::from_str(&place) {
                        reply.headers.insert("location", place);
                    }
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/key-in-any-case",
            "does not know a key in lower case",
            reply_to(READ, |request, reply| {
                if last_part(request).bytes().any(|byte| byte.is_ascii_lowercase()) {
                    reply.status = 404;
                }
            }),
        ),
        Saboteur::new(
            "jira/issues/reads-show-every-write",
            "shows an issue by its number as it was when somebody first looked",
            first_answers(READ, |request| last_part(request).parse::<u64>().is_ok()),
        ),
    ]
}
