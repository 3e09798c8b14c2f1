//! Requests that scan: a client that has the token of one asks how far it has got.

use std::sync::Arc;

use fixtures::world::mend::{EarlierRequestSpec, RequestState};
use smol_str::SmolStr;

use super::Store;
use super::model::{Project, ProjectId};

/// How many earlier requests of a project are known; older ones are `UNKNOWN`. Our choice: clients ask for the one
/// that they made.
const EARLIER_REQUESTS_MAX: usize = 100;

impl Store {
    /// The project that a request scanned, and how far the request has got.
    pub fn request(&self, token: &str) -> Option<(&Arc<Project>, RequestState)> {
        let project = self.project_of_id(*self.requests.get(token)?)?;
        let spec = &project.spec;
        let state = if spec.request_token.as_deref() == Some(token) {
            spec.request_state
        } else {
            spec.earlier_requests.iter().find(|earlier| earlier.token == token).map(|earlier| earlier.state)
        };
        Some((project, state.unwrap_or(RequestState::Finished)))
    }

    /// Makes a request the one that scans a project, or says how far that has got. The one before it is an earlier
    /// one from now on.
    pub fn put_request(&mut self, project: ProjectId, token: &str, state: RequestState) {
        let mut forgotten = Vec::new();
        self.change_project(project, |spec| {
            let before = spec.request_token.replace(token.to_owned());
            let state_before = spec.request_state.replace(state).unwrap_or(RequestState::Finished);
            let Some(before) = before.filter(|before| before != token) else { return };
            // `SKIPPED` is a documented state, and no page says of what. That it is one that another scan overtook
            // is our assumption; that it has finished would be untrue, and that it goes on, too.
            let state = match state_before {
                RequestState::InProgress | RequestState::Updated => RequestState::Skipped,
                ended => ended,
            };
            spec.earlier_requests.push(EarlierRequestSpec { token: before, state });
            let too_many = spec.earlier_requests.len().saturating_sub(EARLIER_REQUESTS_MAX);
            forgotten.extend(spec.earlier_requests.drain(..too_many).map(|earlier| earlier.token));
        });
        for token in forgotten {
            self.requests.remove(token.as_str());
        }
        self.requests.insert(SmolStr::new(token), project);
    }

    /// Forgets the requests of a project.
    pub(super) fn forget_requests(&mut self, project: &Project) {
        for token in tokens(project) {
            self.requests.remove(token);
        }
    }
}

/// The tokens of a project's requests.
pub(super) fn tokens(project: &Project) -> impl Iterator<Item = &str> {
    let earlier = project.spec.earlier_requests.iter().map(|earlier| earlier.token.as_str());
    earlier.chain(project.spec.request_token.as_deref())
}
