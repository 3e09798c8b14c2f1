//! The HTTP glue that all vendors share: how a request travels ([`pipeline`]), what a vendor is given and
//! gives back ([`exchange`]), and what a refusal looks like ([`reject`]).

pub mod exchange;
pub mod reject;
