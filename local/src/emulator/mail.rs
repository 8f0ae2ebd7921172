//! The mail that the emulator has taken. SES has no way to read it back, so this is moto's own.

use axum::{
    body::Bytes,
    http::{StatusCode, Uri},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use mail_parser::{Address, Message, MessageParser, PartType};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Emulator, reason};
use crate::clock;

/// Where moto tells all that it knows.
const EVERYTHING: &str = "/moto-api/data.json";
/// More than a day's mail of one developer.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Why there is no mail to be shown.
#[derive(Debug, Error)]
pub(crate) enum MailError {
    /// The emulator keeps its mail to itself.
    #[error(
        "The emulator of AWS at {endpoint} is not moto: it has nothing to read at {EVERYTHING} ({problem})."
    )]
    NotMoto {
        /// The emulator's address.
        endpoint: String,
        /// What is there.
        problem: String,
    },
    /// It does not answer.
    #[error("The emulator of AWS does not answer: {0}")]
    Unreachable(String),
}

/// One mail, as one of its recipients has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Mail {
    /// The emulator's name for it; the same for every recipient.
    #[serde(skip)]
    pub(crate) id: String,
    /// The recipient's address.
    pub(crate) to: String,
    /// The subject, if there is one.
    pub(crate) subject: Option<String>,
    /// The text part.
    pub(crate) text: Option<String>,
    /// The HTML part.
    pub(crate) html: Option<String>,
    /// When it was sent, as it says itself: RFC 3339, UTC.
    pub(crate) sent_at: Option<String>,
}

/// What moto says, as far as it is about mail.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Everything {
    ses: Ses,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Ses {
    raw_message: Vec<Raw>,
    message: Vec<Simple>,
}

#[derive(Deserialize)]
struct Raw {
    id: String,
    #[serde(default)]
    destinations: Vec<String>,
    /// The whole text, headers and all.
    #[serde(rename = "raw_data")]
    mime: String,
}

#[derive(Deserialize)]
struct Simple {
    id: String,
    #[serde(default)]
    destinations: Destinations,
    subject: String,
    body: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destinations {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

impl Emulator {
    /// All mail, the newest first.
    pub(crate) async fn mail(&self) -> Result<Vec<Mail>, MailError> {
        let not_moto = |problem| MailError::NotMoto { endpoint: self.endpoint.clone(), problem };
        let uri: Uri = format!("{}{EVERYTHING}", self.endpoint)
            .parse()
            .map_err(|error| not_moto(format!("{error}")))?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let answer =
            client.get(uri).await.map_err(|error| MailError::Unreachable(reason(&error)))?;
        if answer.status() != StatusCode::OK {
            return Err(not_moto(answer.status().to_string()));
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        let body = body.map_err(|error| MailError::Unreachable(error.to_string()))?.to_bytes();
        let everything: Everything =
            serde_json::from_slice(&body).map_err(|error| not_moto(error.to_string()))?;
        Ok(everything.into_mail())
    }
}

impl Everything {
    /// moto does not tell in which order the two kinds came: those that say when they were sent, if
    /// only in their text, are taken for the newer ones.
    fn into_mail(self) -> Vec<Mail> {
        let Ses { raw_message, message } = self.ses;
        let raw = raw_message.into_iter().rev().flat_map(Raw::into_mail);
        raw.chain(message.into_iter().rev().flat_map(Simple::into_mail)).collect()
    }
}

impl Raw {
    fn into_mail(self) -> Vec<Mail> {
        let message = MessageParser::default().parse(&self.mime).unwrap_or_default();
        let mail = Mail {
            id: self.id,
            to: String::new(),
            subject: message.subject().map(str::to_owned),
            text: part(&message, false),
            html: part(&message, true),
            sent_at: message.date().map(|date| utc(date.to_timestamp())),
        };
        let destinations = if self.destinations.is_empty() {
            message.to().map(header_addresses).unwrap_or_default()
        } else {
            self.destinations
        };
        copies(&mail, destinations)
    }
}

impl Simple {
    fn into_mail(self) -> Vec<Mail> {
        // moto keeps one body and not which.
        let is_html = self.body.trim_start().starts_with('<');
        let (text, html) = if is_html { (None, Some(self.body)) } else { (Some(self.body), None) };
        let subject = Some(self.subject);
        let mail = Mail { id: self.id, to: String::new(), subject, text, html, sent_at: None };
        let Destinations { to, cc, bcc } = self.destinations;
        copies(&mail, [to, cc, bcc].concat())
    }
}

/// The mail for each recipient, who may be named twice: by the envelope and by a header.
fn copies(mail: &Mail, destinations: Vec<String>) -> Vec<Mail> {
    let mut copies: Vec<Mail> = Vec::new();
    for destination in destinations {
        let to = bare(&destination);
        if !copies.iter().any(|copy| copy.to == to) {
            copies.push(Mail { to, ..mail.clone() });
        }
    }
    copies
}

/// The address in `Name <address>`.
fn bare(destination: &str) -> String {
    let inner = destination.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
    inner.unwrap_or(destination).to_owned()
}

fn header_addresses(header: &Address<'_>) -> Vec<String> {
    header.iter().filter_map(|one| one.address.as_deref().map(str::to_owned)).collect()
}

/// The first body of this kind, if the mail has one: none is made of the other.
fn part(message: &Message<'_>, wants_html: bool) -> Option<String> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Text(text) if !wants_html => Some(text.to_string()),
        PartType::Html(html) if wants_html => Some(html.to_string()),
        PartType::Text(_)
        | PartType::Html(_)
        | PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Message(_)
        | PartType::Multipart(_) => None,
    })
}

fn utc(since_1970_secs: i64) -> String {
    clock::rfc3339(since_1970_secs.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RAW: &str = "Date: Wed, 25 Nov 2026 15:00:00 +0100\r\n\
        From: no-reply@example.com\r\n\
        To: Alice <alice@example.com>\r\n\
        Subject: =?utf-8?q?Verify_=C3=BC?=\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        SGVsbG8g4oKs\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p>Hello =E2=82=AC=\r\n</p>\r\n--b--\r\n";

    fn mail(ses: &Value) -> Value {
        let everything: Everything = serde_json::from_value(json!({ "ses": ses })).unwrap();
        serde_json::to_value(everything.into_mail()).unwrap()
    }

    #[test]
    fn a_raw_mail_is_taken_apart() {
        let raw =
            |destinations| json!({ "id": "1", "destinations": destinations, "raw_data": RAW });
        let expected = |to: &str| {
            json!({
                "to": to,
                "subject": "Verify ü",
                "text": "Hello €",
                "html": "<p>Hello €</p>",
                "sent_at": "2026-11-25T14:00:00Z",
            })
        };
        for (destinations, recipients) in [
            (json!([]), vec!["alice@example.com"]),
            (json!(["bob@example.com"]), vec!["bob@example.com"]),
            (
                json!(["a@example.com", "A <a@example.com>", "b@example.com"]),
                vec!["a@example.com", "b@example.com"],
            ),
        ] {
            let expected: Vec<Value> = recipients.into_iter().map(expected).collect();
            assert_eq!(mail(&json!({ "RawMessage": [raw(destinations)] })), json!(expected));
        }
    }

    #[test]
    fn the_newest_comes_first_and_nothing_is_made_up() {
        let plain = |id: &str| {
            let raw_data = format!("To: {id}@example.com\n\nHello {id}\n");
            json!({ "id": id, "raw_data": raw_data, "source": "me" })
        };
        let to = json!({ "ToAddresses": ["c@example.com"], "BccAddresses": ["d@example.com"] });
        let simple = json!({ "id": "c", "destinations": to, "subject": "S", "body": "<p>" });
        let mail = mail(&json!({ "RawMessage": [plain("a"), plain("b")], "Message": [simple] }));
        let all: Vec<&str> =
            mail.as_array().unwrap().iter().map(|one| one["to"].as_str().unwrap()).collect();
        assert_eq!(all, ["b@example.com", "a@example.com", "c@example.com", "d@example.com"]);
        assert_eq!(mail[0]["text"], "Hello b\n");
        assert_eq!((&mail[0]["html"], &mail[0]["sent_at"]), (&Value::Null, &Value::Null));
        assert_eq!((&mail[2]["html"], &mail[2]["text"]), (&json!("<p>"), &Value::Null));
        // moto names no service that nobody has used.
        assert!(serde_json::from_str::<Everything>("{}").unwrap().into_mail().is_empty());
    }
}
