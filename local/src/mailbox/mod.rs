//! The mail that went out, to be read in a browser or by a test, at addresses of this tool's own:
//! `/_local/mail`, `/_local/mail?to=ADDRESS` and `/_local/mail/ID`.

mod page;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::emulator::{Emulator, Mail, MailError};

/// No script, no form, nothing from elsewhere. Styles are the page's own and the mails'.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const NO_EMULATOR: &str =
    "There is no emulator of AWS, so no mail. Start one, such as moto, and set AWS_ENDPOINT_URL.";

type Source = State<Option<Arc<Emulator>>>;

/// The routes; without an emulator they say that there is none.
pub(crate) fn router(emulator: Option<Arc<Emulator>>) -> Router {
    Router::new()
        .route(page::LIST, get(list))
        .route(&format!("{}/{{id}}", page::LIST), get(show))
        .with_state(emulator)
}

async fn list(State(source): Source, uri: Uri, headers: HeaderMap) -> Response {
    let mut mail = match mail(source).await {
        Ok(mail) => mail,
        Err(problem) => return problem,
    };
    let query = uri.query().unwrap_or_default().as_bytes();
    let to = form_urlencoded::parse(query).find(|(name, _)| name == "to").map(|(_, to)| to);
    if let Some(to) = &to {
        mail.retain(|one| one.to.to_lowercase() == to.to_lowercase());
    }
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        match serde_json::to_string(&mail) {
            Ok(json) => answer(StatusCode::OK, "application/json", json),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    } else {
        html(page::list(&mail, to.as_deref()).into_string())
    }
}

async fn show(State(source): Source, Path(id): Path<String>) -> Response {
    let mail = match mail(source).await {
        Ok(mail) => mail,
        Err(problem) => return problem,
    };
    let copies: Vec<Mail> = mail.into_iter().filter(|one| one.id == id).collect();
    match page::show(&copies) {
        Some(page) => html(page.into_string()),
        None => plain(StatusCode::NOT_FOUND, "There is no such mail.".to_owned()),
    }
}

async fn mail(source: Option<Arc<Emulator>>) -> Result<Vec<Mail>, Response> {
    let Some(emulator) = source else {
        return Err(plain(StatusCode::NOT_IMPLEMENTED, NO_EMULATOR.to_owned()));
    };
    emulator.mail().await.map_err(|error| {
        let status = match error {
            MailError::NotMoto { .. } => StatusCode::NOT_IMPLEMENTED,
            MailError::Unreachable(_) => StatusCode::BAD_GATEWAY,
        };
        plain(status, error.to_string())
    })
}

fn html(page: String) -> Response {
    answer(StatusCode::OK, "text/html; charset=utf-8", page)
}

fn plain(status: StatusCode, text: String) -> Response {
    answer(status, "text/plain; charset=utf-8", text)
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        // The mail has links that must not be told to anybody.
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, body).into_response()
}
