//! Saboteurs of projects.

use super::super::Saboteur;
use super::super::layers::reply_to;
use super::{last_part, login};

const PROJECT: &[&str] = &["GET project/:id"];

pub(super) fn saboteurs() -> Vec<Saboteur> {
    vec![
        Saboteur::new(
            "jira/projects/unknown-project-404",
            "answers 400 for a project that does not exist",
            reply_to(PROJECT, |request, reply| {
                if reply.status == 404 && last_part(request) == "NOSUCHPROJECT" {
                    reply.status = 400;
                }
            }),
        ),
        Saboteur::new(
            "jira/projects/project-out-of-sight-404",
            "answers 403 for a project that the user may not see",
            reply_to(PROJECT, |request, reply| {
                if reply.status == 404
                    && login(request).is_some_and(|(email, _)| email.starts_with("limited"))
                {
                    reply.status = 403;
                }
            }),
        ),
    ]
}
