//! One request on its way through the gateway: what it is called and what is known about it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use axum::http::{HeaderName, HeaderValue, header::HOST, request::Parts};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    clock,
    lambda::Invocation,
    template::{ACCOUNT_ID, REGION},
};

/// The name of the API in ARNs and events.
pub(super) const API_ID: &str = "local";

/// A request without its body, and what the gateway found out about it so far.
pub(super) struct Call {
    pub(super) head: Parts,
    pub(super) peer: IpAddr,
    pub(super) stage: String,
    pub(super) request_id: String,
    pub(super) extended_request_id: String,
    pub(super) trace_id: String,
    pub(super) at_ms: i64,
    /// The matching route's path, once it is known.
    pub(super) resource_path: Option<String>,
    /// What the authorizer told about the caller, once it has been asked.
    pub(super) authorizer: Option<Map<String, Value>>,
}

impl Call {
    /// Names the request and adds the headers that API Gateway adds; `port` is the gateway's own.
    pub(super) fn new(mut head: Parts, peer: SocketAddr, port: u16, stage: &str) -> Self {
        let trace_id = header(&head, "x-amzn-trace-id").unwrap_or_else(Invocation::new_trace_id);
        // A peer that came over a socket for both protocols is known by its IPv4 address.
        let peer = peer.ip().to_canonical();
        let mut forwarded_for: Vec<String> = Vec::new();
        for value in head.headers.get_all("x-forwarded-for") {
            forwarded_for.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        forwarded_for.push(peer.to_string());
        for (name, value) in [
            ("x-forwarded-for", forwarded_for.join(", ").as_str()),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", &port.to_string()),
            ("x-amzn-trace-id", &trace_id),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                head.headers.insert(HeaderName::from_static(name), value);
            }
        }
        Self {
            head,
            peer,
            stage: stage.to_owned(),
            request_id: Uuid::new_v4().to_string(),
            extended_request_id: Uuid::new_v4().simple().to_string(),
            trace_id,
            at_ms: clock::now_ms(),
            resource_path: None,
            authorizer: None,
        }
    }

    /// The value of a header, if there is one that is text.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    /// The host that the client asked for, without a port.
    pub(super) fn domain_name(&self) -> String {
        let host = self.header(HOST.as_str()).unwrap_or_else(|| "localhost".to_owned());
        let port = host.rfind(':').filter(|colon| !host.get(*colon..).unwrap_or("").contains(']'));
        host.get(..port.unwrap_or(host.len())).unwrap_or_default().to_owned()
    }

    /// What the caller wants to do, as policies name it.
    pub(super) fn method_arn(&self) -> String {
        let (stage, method) = (&self.stage, &self.head.method);
        let path = self.head.uri.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{stage}/{method}/{path}")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.request_id, self.head.method, self.head.uri.path())
    }
}

fn header(head: &Parts, name: &str) -> Option<String> {
    head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A call with the given request line and headers, from 192.0.2.7.
#[cfg(test)]
pub(super) fn sample(method: &str, uri: &str, headers: &[(&str, &str)]) -> Call {
    let mut request = axum::http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    Call::new(head, "192.0.2.7:4711".parse().unwrap(), 8080, "dev")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_appended_to_those_who_forwarded() {
        assert_eq!(sample("GET", "/", &[]).header("x-forwarded-for").unwrap(), "192.0.2.7");
        let forwarded = sample("GET", "/", &[("x-forwarded-for", "198.51.100.1")]);
        assert_eq!(forwarded.header("x-forwarded-for").unwrap(), "198.51.100.1, 192.0.2.7");
    }

    #[test]
    fn the_domain_has_no_port() {
        let cases = [("bank.test:80", "bank.test"), ("bank.test", "bank.test"), ("[::1]", "[::1]")];
        for (host, domain) in cases {
            assert_eq!(sample("GET", "/", &[("host", host)]).domain_name(), domain);
        }
    }

    #[test]
    fn the_arn_names_stage_method_and_path() {
        let arn = sample("POST", "/accounts/7/deposits?x=1", &[]).method_arn();
        let expected =
            "arn:aws:execute-api:us-east-1:000000000000:local/dev/POST/accounts/7/deposits";
        assert_eq!(arn, expected);
    }
}
