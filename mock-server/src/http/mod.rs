//! The HTTP glue that all vendors share: how a request travels ([`pipeline`]), what a vendor is given and
//! gives back ([`exchange`]), what a refusal looks like ([`reject`]), how a reply leaves ([`reply`]) and what
//! the journal may not see ([`redact`]).

pub mod exchange;
pub mod pipeline;
pub mod redact;
pub mod reject;
pub mod reply;
