//! What API Gateway's edge refuses by a request's head alone.

use axum::http::{header::HOST, request::Parts, uri::Authority};

use super::response_type::ResponseType;

/// The request line and all headers together.
const MAX_HEAD_BYTES: usize = 10_240;

/// Refuses a head that is too large, or has a host that is none.
pub(super) fn check(head: &Parts) -> Result<(), ResponseType> {
    let line = head.method.as_str().len().saturating_add(head.uri.to_string().len());
    let size = head.headers.iter().fold(line, |size, (name, value)| {
        size.saturating_add(name.as_str().len()).saturating_add(value.len())
    });
    let is_host = |host: &[u8]| Authority::try_from(host).is_ok_and(|host| is_plain(&host));
    let is_acceptable = size <= MAX_HEAD_BYTES
        && head.headers.get_all(HOST).iter().all(|host| is_host(host.as_bytes()));
    if is_acceptable { Ok(()) } else { Err(ResponseType::BadRequest) }
}

/// Whether it is a name and perhaps a port, and nothing else.
fn is_plain(authority: &Authority) -> bool {
    let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    authority.as_str() == format!("{}{port}", authority.host())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn heads() {
        let long = "x".repeat(MAX_HEAD_BYTES);
        for (host, other, is_fine) in [
            ("127.0.0.1:8080", "", true),
            ("api.example.com", "", true),
            ("[::1]:8080", "", true),
            ("a b", "", false),
            ("[", "", false),
            ("x:99999999", "", false),
            ("user@x", "", false),
            ("x", long.as_str(), false),
        ] {
            let request = Request::builder().header("host", host).header("x-other", other);
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(check(&head).is_ok(), is_fine, "{host}");
        }
    }
}
