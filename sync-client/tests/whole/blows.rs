//! What can go wrong at a boundary: the moment a request leaves the client for a vendor or for the tracker.

use std::sync::Mutex;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blow {
    /// No connection comes about.
    Refused,
    /// The connection breaks before the request is acted upon.
    LostBefore,
    /// It is acted upon, and the reply is lost.
    LostAfter,
    /// A status, and nothing was done.
    ErrorBefore(u16),
    /// It is acted upon, and answered with 500.
    ErrorAfter,
    /// 429, with this `Retry-After`.
    TooMany(Option<&'static str>),
    /// 429 with a page of HTML.
    TooManyInHtml,
    /// The server is silent until the client gives up, and then acts upon it.
    Stall,
    /// It is acted upon, and the reply ends in the middle.
    Truncated,
    /// It is acted upon, and the reply is a page of HTML with status 200.
    Html,
    /// A 404 for what is there.
    NotFound,
    /// The client is killed before the request leaves.
    KillBefore,
    /// The client is killed after the request was acted upon, before the reply arrives.
    KillAfter,
    /// The network delivers the request twice.
    Twice,
    /// Jira takes the request for one of somebody who did not log in, to whom it shows nothing.
    Anonymous,
}

impl Blow {
    /// Every kind.
    pub(crate) const ALL: [Self; 20] = [
        Self::Refused,
        Self::LostBefore,
        Self::LostAfter,
        Self::ErrorBefore(500),
        Self::ErrorBefore(502),
        Self::ErrorBefore(503),
        Self::ErrorAfter,
        Self::TooMany(Some("2")),
        Self::TooMany(Some("300")),
        Self::TooMany(Some("Thu, 15 Jan 2026 12:05:00 GMT")),
        Self::TooMany(None),
        Self::TooManyInHtml,
        Self::Stall,
        Self::Truncated,
        Self::Html,
        Self::NotFound,
        Self::KillBefore,
        Self::KillAfter,
        Self::Twice,
        Self::Anonymous,
    ];

    /// Whether it can happen there.
    pub(crate) fn strikes(self, boundary: &str) -> bool {
        match Side::of(boundary) {
            Side::Vendor => self != Self::Anonymous,
            // It is called without HTTP: a reply is whole or does not come.
            Side::Called => matches!(
                self,
                Self::Refused
                    | Self::LostBefore
                    | Self::LostAfter
                    | Self::KillBefore
                    | Self::KillAfter
                    | Self::Stall
            ),
            // Whoever delivers it twice makes two issues, or two comments, whatever the client does.
            Side::JiraWrite => self != Self::Twice,
            Side::JiraRead => true,
        }
    }
}

/// Whom a boundary leads to.
enum Side {
    Vendor,
    Called,
    JiraRead,
    JiraWrite,
}

impl Side {
    fn of(boundary: &str) -> Self {
        match boundary.strip_prefix(JIRA) {
            Some(request) if request.starts_with("GET ") || request.starts_with("POST search") => {
                Self::JiraRead
            }
            Some(_) => Self::JiraWrite,
            None if boundary.starts_with("tracker ") => Self::Called,
            None => Self::Vendor,
        }
    }
}

/// What boundaries at Jira begin with.
pub(crate) const JIRA: &str = "jira ";

/// The process of the client ends here.
pub(crate) struct Killed;

/// Counts boundaries, and deals out planned blows.
#[derive(Debug, Default)]
pub(crate) struct Blows(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    passed: Vec<String>,
    planned: Vec<(usize, Blow)>,
    struck: Vec<(String, Blow)>,
}

impl Blows {
    /// Plans blows by the number of the boundary, from 0, counted from now.
    pub(crate) fn plan(&self, planned: &[(usize, Blow)]) {
        let mut state = self.0.lock().unwrap();
        *state = State { planned: planned.to_vec(), ..State::default() };
    }

    /// The boundaries since the last plan, e.g. `PATCH /security_finding_targets/1` or `tracker create`.
    pub(crate) fn passed(&self) -> Vec<String> {
        self.0.lock().unwrap().passed.clone()
    }

    /// The blows that were dealt since the last plan.
    pub(crate) fn struck(&self) -> Vec<(String, Blow)> {
        self.0.lock().unwrap().struck.clone()
    }

    /// A boundary is passed; says what goes wrong there.
    pub(crate) fn pass(&self, boundary: &str) -> Option<Blow> {
        let mut state = self.0.lock().unwrap();
        let number = state.passed.len();
        state.passed.push(boundary.to_owned());
        let blow = state.planned.iter().find(|(at, _)| *at == number).map(|(_, blow)| *blow);
        // What can't happen there is a refusal.
        let blow = blow.map(|blow| if blow.strikes(boundary) { blow } else { Blow::Refused });
        if let Some(blow) = blow {
            state.struck.push((boundary.to_owned(), blow));
        }
        blow
    }
}
