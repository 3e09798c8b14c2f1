//! Requests over real connections.
//!
//! TLS certificates are always verified; a further authority can be trusted, never none. No redirect is followed: the
//! APIs redirect nowhere, so a redirect means that something else answers, and it would be given the credential.

use std::error::Error;
use std::io::{self, Read as _};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Certificate;
use reqwest::blocking::{Client, ClientBuilder};
use reqwest::redirect::Policy;

use crate::ports::{NoReply, Reply, Request, Transport};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of a reply. A page of a list has a few hundred thousand.
const BODY_BYTES_MAX: u64 = 128 << 20;

/// Speaks HTTP over sockets.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
}

/// An HTTP client that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The certificates can't be used.
    #[error("the file with the certificate authority can't be used: {0}")]
    Authority(String),
    /// The client can't be set up.
    #[error("the HTTP client can't be set up: {0}")]
    Client(String),
}

impl Http {
    /// A client that trusts the usual authorities and those in `authorities_pem`, if given: one or more certificates in
    /// PEM form. Proxies that the environment names are used.
    pub fn new(authorities_pem: Option<&[u8]>) -> Result<Self, HttpError> {
        let mut builder = Client::builder()
            .user_agent(concat!("sync-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none());
        if let Some(pem) = authorities_pem {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|error| HttpError::Authority(with_causes(&error)))?;
            if certificates.is_empty() {
                return Err(HttpError::Authority("it contains no certificate in PEM form".to_owned()));
            }
            builder = certificates.into_iter().fold(builder, ClientBuilder::add_root_certificate);
        }
        let client = builder.build().map_err(|error| {
            let text = with_causes(&error);
            if authorities_pem.is_some() { HttpError::Authority(text) } else { HttpError::Client(text) }
        })?;
        Ok(Self { client })
    }
}

impl Transport for Http {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Reply, NoReply> {
        let call = self
            .client
            .request(request.method.clone(), &request.url)
            .headers(request.headers.clone())
            .timeout(timeout);
        let call = if request.body.is_empty() { call } else { call.body(request.body.clone()) };
        let response = call.send().map_err(no_reply)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        response.take(BODY_BYTES_MAX + 1).read_to_end(&mut body).map_err(broken_body)?;
        if body.len() as u64 > BODY_BYTES_MAX {
            return Err(NoReply::Unknown(format!("the reply is larger than {BODY_BYTES_MAX} bytes")));
        }
        Ok(Reply { status, headers, body: Bytes::from(body) })
    }
}

/// Only what failed before there was a connection surely did not arrive.
fn no_reply(error: reqwest::Error) -> NoReply {
    let was_not_sent = error.is_connect() || error.is_builder();
    let text = with_causes(&error.without_url());
    if was_not_sent { NoReply::NotSent(text) } else { NoReply::Unknown(text) }
}

fn broken_body(error: io::Error) -> NoReply {
    let text = match error.downcast::<reqwest::Error>() {
        Ok(error) => with_causes(&error.without_url()),
        Err(error) => with_causes(&error),
    };
    NoReply::Unknown(text)
}

/// The whole chain of causes: the last one is the one that says what to do.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Http, HttpError};

    #[test]
    fn a_file_without_certificates_is_no_authority() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "no PEM", broken] {
            let refused = Http::new(Some(pem.as_bytes()));
            assert!(matches!(refused, Err(HttpError::Authority(_))), "{pem:?}");
        }
        assert!(Http::new(None).is_ok());
    }
}
