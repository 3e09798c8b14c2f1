//! How a reply leaves: as a response, changed by a fault, or not at all.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::exchange::Answer;
use crate::kernel::faults::{Effect, repeat_rows, rewrite};

/// The header that names the rule or reading a refusal rests on.
pub const RULE_HEADER: HeaderName = HeaderName::from_static("x-mock-rule");

/// What is to be done to the connection instead of sending a reply.
///
/// A response that carries this as an extension never reaches a client over a socket: the listener acts on
/// the connection. In process it reaches the transport as a body that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFault {
    /// Reset the connection.
    Reset,
    /// Close it without a byte.
    Close,
    /// Send these bytes as they are, then close.
    Raw(Bytes),
}

/// The response to an answer that no fault touches.
pub fn response(answer: &Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !answer.body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name.clone(), value);
        }
    }
    if let Some((because, _)) = &answer.refusal
        && let Ok(value) = HeaderValue::from_str(&because.id())
    {
        headers.insert(RULE_HEADER, value);
    }
    response
}

/// What a fault makes of an answer. `None`: no reply ever comes.
pub fn faulty_response(answer: &Answer, effect: &Effect) -> Option<Response> {
    Some(match effect {
        Effect::Delay { .. } => response(answer),
        Effect::Hang => return None,
        Effect::Reply { status, headers, body } => planned_reply(*status, headers, body),
        Effect::Rewrite { pointer, value } => {
            response(&edited(answer, |body| rewrite(body, pointer, value.clone())))
        }
        Effect::RepeatRows { count } => response(&edited(answer, |body| repeat_rows(body, *count))),
        Effect::TruncatedJson => {
            let body = answer.body.slice(..answer.body.len() / 2);
            response(&Answer { body, ..answer.clone() })
        }
        Effect::ConnectionReset => broken(ConnectionFault::Reset),
        Effect::EmptyResponse => broken(ConnectionFault::Close),
        Effect::MalformedChunk => broken(ConnectionFault::Raw(malformed_chunk(answer))),
    })
}

/// The status that a client sees, if it sees one.
pub fn status_of(response: &Response) -> Option<u16> {
    let broken = response.extensions().get::<ConnectionFault>().is_some();
    (!broken).then(|| response.status().as_u16())
}

fn planned_reply(status: u16, headers: &[(String, String)], body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    if !body.is_empty() && !response.headers().contains_key(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// The answer with its JSON body edited; an answer without one, or that does not fit the edit, as it is.
fn edited(answer: &Answer, edit: impl FnOnce(&mut Value) -> bool) -> Answer {
    let mut answer = answer.clone();
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body)
        && edit(&mut body)
    {
        answer.body = Bytes::from(body.to_string());
    }
    answer
}

fn broken(fault: ConnectionFault) -> Response {
    let failing = http_body_util::StreamBody::new(FailingStream(Some(std::io::Error::new(
        std::io::ErrorKind::ConnectionReset,
        "the connection broke, as a planned fault wanted",
    ))));
    let mut response = Response::new(Body::new(failing));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(fault);
    response
}

struct FailingStream(Option<std::io::Error>);

impl futures_core::Stream for FailingStream {
    type Item = Result<hyper::body::Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Err))
    }
}

fn malformed_chunk(answer: &Answer) -> Bytes {
    let half = &answer.body[..answer.body.len() / 2];
    let mut raw =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    raw.extend_from_slice(format!("{:x}\r\n", half.len().max(1)).as_bytes());
    raw.extend_from_slice(if half.is_empty() { b"{" } else { half });
    raw.extend_from_slice(b"\r\nnot a chunk size\r\n");
    Bytes::from(raw)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::{ConnectionFault, faulty_response, response, status_of};
    use crate::http::exchange::Answer;
    use crate::kernel::faults::Effect;

    async fn body(response: axum::response::Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn effects_change_the_reply() {
        let answer = Answer::json(200, r#"{"rows":[{"id":"1"}]}"#);
        let twice = faulty_response(&answer, &Effect::RepeatRows { count: 1 }).unwrap();
        assert_eq!(body(twice).await, r#"{"rows":[{"id":"1"},{"id":"1"}]}"#);
        let rewrite = Effect::Rewrite { pointer: "/rows/0/id".to_owned(), value: json!(1) };
        assert_eq!(body(faulty_response(&answer, &rewrite).unwrap()).await, r#"{"rows":[{"id":1}]}"#);
        assert_eq!(body(faulty_response(&answer, &Effect::TruncatedJson).unwrap()).await, r#"{"rows":[{"#);
        assert!(faulty_response(&answer, &Effect::Hang).is_none());
        assert_eq!(body(response(&answer)).await, r#"{"rows":[{"id":"1"}]}"#);
    }

    #[tokio::test]
    async fn broken_connections_are_marked_and_fail_in_process() {
        let answer = Answer::json(200, "{}");
        let reset = faulty_response(&answer, &Effect::ConnectionReset).unwrap();
        assert_eq!(reset.extensions().get(), Some(&ConnectionFault::Reset));
        assert_eq!(status_of(&reset), None);
        assert!(reset.into_body().collect().await.is_err());
    }
}
