//! What a vendor is given and what it gives back: plain values, no connection, no futures.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::reject::{Because, Refusal};
use crate::kernel::sandbox::Credential;
use crate::world::World;

/// Marks, among its extensions, a request that came in encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encrypted;

/// A request that was read to its end.
#[derive(Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path as sent, percent-encoded.
    pub path: String,
    /// Query string as sent, without the question mark.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; empty if it could not be read.
    pub body: Bytes,
    /// Why the body could not be read, if it could not.
    pub broken: Option<Refusal>,
    /// Whether it came in encrypted.
    pub is_encrypted: bool,
}

impl Request {
    /// The first value of a header, if it is there and is text.
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The beginning of the addresses that the client used: scheme and host, from a `Host` header that could be one.
    pub fn origin(&self) -> String {
        let is_host = |host: &&str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
            !host.is_empty() && host.len() <= 255 && host.bytes().all(fits)
        };
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let host = self.header(header::HOST).filter(is_host);
        format!("{scheme}://{}", host.unwrap_or("mock-server.invalid"))
    }
}

/// What a vendor answers.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body; empty: no body.
    pub body: Bytes,
    /// Further headers.
    pub headers: Vec<(header::HeaderName, String)>,
    /// Why the request was refused, if it was.
    pub refusal: Option<(Because, Cow<'static, str>)>,
    /// What was tolerated and deserves a line in the journal.
    pub flags: Vec<String>,
    /// Whether the body says what was wrong with the request, though it was not refused as a whole.
    pub has_complaints: bool,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A refusal with the body the vendor gives it.
    pub fn refused(refusal: Refusal, body: impl Into<Bytes>) -> Self {
        let Refusal { status, because, reason } = refusal;
        Self { status, body: body.into(), refusal: Some((because, reason)), ..Self::default() }
    }
}

/// A request that a vendor has looked at: what it is, who owns it, how to answer it.
pub struct Prepared {
    /// What the journal and the faults call it, e.g. `PATCH security_finding_targets/:id`.
    pub operation: SmolStr,
    /// The credential that decides whose sandbox it is, if it shows one.
    pub credential: Option<Credential>,
    /// How to answer it in a sandbox.
    pub work: Work,
    /// How to answer it when it is nobody's.
    pub nobodys: Box<dyn FnOnce() -> Answer + Send>,
}

/// Answers a request by looking at the world at an instant.
pub type ReadWork = Box<dyn FnOnce(&World, Timestamp) -> Answer + Send>;
/// Answers a request by changing the world at an instant.
pub type WriteWork = Box<dyn FnOnce(&mut World, Timestamp) -> Answer + Send>;

/// How to answer a request in a sandbox.
pub enum Work {
    /// Looks at the world, and holds nobody up.
    Read(ReadWork),
    /// May change the world, and is alone with it meanwhile.
    Write(WriteWork),
}
