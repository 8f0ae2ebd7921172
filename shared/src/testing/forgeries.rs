//! Access tokens that must open nothing, made by somebody who knows all the tricks: the verifiers'
//! own tests and the running bank are tried with the same ones.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may fail this way"
)]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ed25519_compact::{KeyPair, SecretKey, Seed};
use hmac::{Hmac, KeyInit, Mac};
use pasetors::{
    keys::{AsymmetricSecretKey, SymmetricKey},
    version4::{LocalToken, PublicToken, V4},
};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    auth::{SigningKey, TokenFormat},
    domain::Caller,
};

/// What is wrong with a token, and the token.
pub type Forgery = (&'static str, String);

/// The order of Ed25519's group, lowest byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Writes tokens byte by byte, without the makers' help. Knows even the key, so that a token can be
/// wrong in one thing alone.
pub struct Forger {
    key: SecretKey,
    key_id: String,
    public_text: String,
    stage: String,
    claims: Vec<(&'static str, Value)>,
    now: OffsetDateTime,
}

impl Forger {
    /// A forger of one caller's tokens, with the stage's own key: PASERK `k4.secret`.
    ///
    /// # Panics
    /// When the key is none.
    #[must_use]
    pub fn new(secret: &str, stage: &str, caller: &Caller, now: OffsetDateTime) -> Self {
        let signing = SigningKey::parse(secret).expect("a key");
        let bytes = BASE64.decode(&secret["k4.secret.".len()..]).expect("base64");
        let claims = vec![
            ("iss", json!("simplebank")),
            ("sub", json!(caller.username.as_str())),
            ("sid", json!(caller.session_id.0)),
            ("jti", json!("0198b2c4-5e90-7bbb-8b8e-000000000001")),
        ];
        Self {
            key: SecretKey::from_slice(&bytes).expect("a key"),
            key_id: signing.id().to_owned(),
            public_text: signing.public_text().expect("a key"),
            stage: stage.to_owned(),
            claims,
            now,
        }
    }

    /// A token without a fault, so that the others can be seen to fail for theirs alone.
    #[must_use]
    pub fn genuine(&self, format: TokenFormat) -> String {
        self.sign(format, &self.head(format), &self.payload(format))
    }

    /// A token that was genuine once.
    #[must_use]
    pub fn expired(&self, format: TokenFormat) -> String {
        let earlier = Self { now: self.now - Duration::minutes(10), ..self.clone() };
        earlier.genuine(format)
    }

    /// A token that says anything, signed by the right key all the same.
    #[must_use]
    pub fn saying(&self, format: TokenFormat, payload: &str) -> String {
        self.sign(format, &self.head(format), payload)
    }

    /// Every way that is known to be tried against tokens of this format.
    #[must_use]
    pub fn forgeries(&self, format: TokenFormat) -> Vec<Forgery> {
        let own = match format {
            TokenFormat::Paseto => self.pasetos(),
            TokenFormat::Jwt => self.jwts(),
        };
        let common = [self.of_others(format), self.tampered(format), self.heads(format)];
        common.into_iter().flatten().chain(self.payloads(format)).chain(own).collect()
    }

    /// Made by somebody else, or for something else.
    fn of_others(&self, format: TokenFormat) -> Vec<Forgery> {
        let stranger = Self { key: stranger().sk, ..self.clone() };
        let known = Self { key_id: stranger_id(), ..stranger.clone() };
        let staging = Self { stage: "staging".to_owned(), ..self.clone() };
        let early = Self { now: self.now + Duration::minutes(5), ..self.clone() };
        let other = match format {
            TokenFormat::Paseto => TokenFormat::Jwt,
            TokenFormat::Jwt => TokenFormat::Paseto,
        };
        vec![
            ("another key under our name", stranger.genuine(format)),
            ("another key under its own name", known.genuine(format)),
            ("another stage's", staging.genuine(format)),
            ("from the future", early.genuine(format)),
            ("in the other format", self.genuine(other)),
            ("a refresh token", BASE64.encode([7; 32])),
            ("nothing", String::new()),
            ("dots", "...".to_owned()),
            ("far too long", format!("{}.{}", "A".repeat(100_000), self.genuine(format))),
        ]
    }

    /// Genuine ones with something changed on the way.
    fn tampered(&self, format: TokenFormat) -> Vec<Forgery> {
        let good = self.genuine(format);
        let edited = |edit: fn(&mut Vec<u8>, &mut [u8])| {
            let (mut message, mut signature) = self.parts(format);
            edit(&mut message, &mut signature);
            Self::join(format, &self.head(format), &message, &signature)
        };
        vec![
            (
                "another name in it",
                edited(|message, _| *message = swap(message, br#""sub":""#, br#""sub":"m"#)),
            ),
            ("a flipped bit in the payload", edited(|message, _| message[9] ^= 1)),
            ("a flipped bit in the signature", edited(|_, signature| signature[9] ^= 1)),
            ("the signature of nothing", edited(|_, signature| signature.fill(0))),
            ("a second signature made of the first", edited(|_, signature| add_order(signature))),
            ("cut off", good[..good.len() - 4].to_owned()),
            ("one letter more", format!("{good}A")),
            ("one part more", format!("{good}.AAAA")),
            ("an empty part more", format!("{good}.")),
            ("one part less", good.rsplit_once('.').expect("parts").0.to_owned()),
            ("padded", format!("{good}==")),
            ("a space behind it", format!("{good} ")),
            ("other letters for the same bytes", loosen(&good)),
        ]
    }

    /// With the right signature under a header, or over a footer, that must not be there.
    fn heads(&self, format: TokenFormat) -> Vec<Forgery> {
        let start = match format {
            TokenFormat::Paseto => "",
            TokenFormat::Jwt => r#""typ":"JWT","alg":"EdDSA","#,
        };
        let id = &self.key_id;
        let head = |what, members: String| {
            let head = format!("{{{start}{members}}}");
            (what, self.sign(format, &head, &self.payload(format)))
        };
        let raw = |what, head: &str| (what, self.sign(format, head, &self.payload(format)));
        vec![
            head("an unknown key", r#""kid":"k4.pid.AAAA""#.to_owned()),
            head("a path for a key", r#""kid":"../../../../dev/null""#.to_owned()),
            head("a statement for a key", r#""kid":"' OR '1'='1""#.to_owned()),
            head("an address for a key", r#""kid":"https://evil.example/key""#.to_owned()),
            head("an empty name for a key", r#""kid":"""#.to_owned()),
            head("a list of keys", format!(r#""kid":["{id}"]"#)),
            head("no key by name", r#""kid":null"#.to_owned()),
            head("a key named twice", format!(r#""kid":"{id}","kid":"{id}""#)),
            head("more than is known", format!(r#""kid":"{id}","x":1"#)),
            head("a long way to the key", format!(r#"{}"kid":"{id}""#, " ".repeat(300))),
            raw("a list in front", &format!(r#"["{id}"]"#)),
            raw("a text in front", &format!(r#""{id}""#)),
            raw("an empty object in front", "{}"),
            raw("no JSON in front", "kid"),
        ]
    }

    /// Signed by the right key, and still not what the bank writes.
    fn payloads(&self, format: TokenFormat) -> Vec<Forgery> {
        let good = self.all_claims(format);
        let sign = |payload: &str| self.sign(format, &self.head(format), payload);
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims.insert(name.to_owned(), value);
            sign(&Value::Object(claims).to_string())
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.remove(name);
            sign(&Value::Object(claims).to_string())
        };
        let text = self.payload(format);
        // In the order in which they are declared, so that they would do for a struct's.
        let order = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"];
        let values = order.map(|name| &good[name]);
        let far = self.now + Duration::hours(1);
        let wrong_kind = match format {
            TokenFormat::Paseto => json!(far.unix_timestamp()),
            TokenFormat::Jwt => json!(far.unix_timestamp().to_string()),
        };
        vec![
            ("no expiry", without("exp")),
            ("no beginning", without("nbf")),
            ("no date", without("iat")),
            ("no issuer", without("iss")),
            ("no audience", without("aud")),
            ("nobody", without("sub")),
            ("no session", without("sid")),
            ("no number", without("jti")),
            ("null for an expiry", with("exp", Value::Null)),
            ("the wrong kind of expiry", with("exp", wrong_kind.clone())),
            ("the wrong kind of date", with("iat", wrong_kind)),
            ("never ends", with("exp", json!(9.9e99))),
            ("an expiry with a fraction", with("exp", json!(4_102_444_800.5))),
            ("dated in words", with("iat", json!("yesterday"))),
            ("another issuer", with("iss", json!("otherbank"))),
            ("another audience", with("aud", json!("simplebank-refresh"))),
            ("several audiences", with("aud", json!([good["aud"], "simplebank-refresh"]))),
            ("a user who cannot be", with("sub", json!("alice' OR '1'='1"))),
            ("a session that cannot be", with("sid", json!("1"))),
            ("more than is claimed", with("role", json!("banker"))),
            ("a claim twice", sign(&text.replacen('{', r#"{"sub":"banker","#, 1))),
            ("claims in a list", sign(&json!(values).to_string())),
            ("claims in a list of one", sign(&format!("[{text}]"))),
            ("claims and more claims", sign(&format!("{text}{text}"))),
            ("no claims", sign("{}")),
            ("null", sign("null")),
            ("no JSON", sign("alice")),
        ]
    }

    /// What only a PASETO can do wrong.
    fn pasetos(&self) -> Vec<Forgery> {
        let good = self.genuine(TokenFormat::Paseto);
        let head = self.head(TokenFormat::Paseto);
        let payload = self.payload(TokenFormat::Paseto);
        let key = AsymmetricSecretKey::<V4>::from(self.key.as_slice()).expect("a key");
        let assertion = format!("simplebank/{}/access/v1", self.stage);
        let public = |footer: Option<&[u8]>, assertion: Option<&[u8]>| {
            PublicToken::sign(&key, payload.as_bytes(), footer, assertion).expect("a token")
        };
        // The public key is known to everybody: it must not do as a secret.
        let shared = SymmetricKey::<V4>::from(self.key.public_key().as_slice()).expect("a key");
        let local = LocalToken::encrypt(
            &shared,
            payload.as_bytes(),
            Some(head.as_bytes()),
            Some(assertion.as_bytes()),
        );
        let body = good.split('.').nth(2).expect("a body");
        vec![
            ("of version 1", good.replacen("v4", "v1", 1)),
            ("of version 2", good.replacen("v4", "v2", 1)),
            ("of version 3", good.replacen("v4", "v3", 1)),
            ("of version 5", good.replacen("v4", "v5", 1)),
            ("in capitals", good.replacen("v4.public", "V4.PUBLIC", 1)),
            ("called local", good.replacen("public", "local", 1)),
            ("encrypted with the public key", local.expect("a token")),
            ("bound to nothing", public(Some(head.as_bytes()), None)),
            ("without a footer", public(None, Some(assertion.as_bytes()))),
            ("with its footer taken off", format!("v4.public.{body}")),
            ("with its footer emptied", format!("v4.public.{body}.")),
            ("a head only", "v4.public.".to_owned()),
            ("too short for a signature", "v4.public.AAAA.e30".to_owned()),
        ]
    }

    /// What only a JWT can do wrong.
    fn jwts(&self) -> Vec<Forgery> {
        let id = &self.key_id;
        let payload = self.payload(TokenFormat::Jwt);
        let labelled =
            |algorithm: &str| format!(r#"{{"typ":"JWT","alg":"{algorithm}","kid":"{id}"}}"#);
        let input = |head: &str| format!("{}.{}", BASE64.encode(head), BASE64.encode(&payload));
        let unsigned = |algorithm: &str| format!("{}.", input(&labelled(algorithm)));
        let signed = |head: &str| self.sign(TokenFormat::Jwt, head, &payload);
        let public_key = self.key.public_key();
        let (bytes, text) = (public_key.as_slice(), self.public_text.as_bytes());
        let hmac = |algorithm: &str, mac: fn(&[u8], &[u8]) -> Vec<u8>, key: &[u8]| {
            let input = input(&labelled(algorithm));
            let mac = mac(key, input.as_bytes());
            format!("{input}.{}", BASE64.encode(mac))
        };
        let stranger = Self { key: stranger().sk, ..self.clone() };
        let x = BASE64.encode(stranger.key.public_key().as_slice());
        let bringing = |members: &str| {
            let head = format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{id}",{members}}}"#);
            stranger.sign(TokenFormat::Jwt, &head, &payload)
        };
        let also = |members: &str| {
            signed(&format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{id}",{members}}}"#))
        };
        vec![
            ("alg none", unsigned("none")),
            ("alg None", unsigned("None")),
            ("alg NONE", unsigned("NONE")),
            ("alg nOnE", unsigned("nOnE")),
            ("alg empty", unsigned("")),
            ("EdDSA without a signature", unsigned("EdDSA")),
            ("alg none with a signature", signed(&labelled("none"))),
            ("HS256 keyed with the public key", hmac("HS256", mac::<Sha256>, bytes)),
            ("HS256 keyed with its text", hmac("HS256", mac::<Sha256>, text)),
            ("HS384 keyed with the public key", hmac("HS384", mac::<Sha384>, bytes)),
            ("HS384 keyed with its text", hmac("HS384", mac::<Sha384>, text)),
            ("HS512 keyed with the public key", hmac("HS512", mac::<Sha512>, bytes)),
            ("HS256 keyed with nothing", hmac("HS256", mac::<Sha256>, b"")),
            ("HMAC called EdDSA", hmac("EdDSA", mac::<Sha512>, bytes)),
            ("called HS256", signed(&labelled("HS256"))),
            ("called RS256", signed(&labelled("RS256"))),
            ("called ES256", signed(&labelled("ES256"))),
            ("called PS512", signed(&labelled("PS512"))),
            ("in small letters", signed(&labelled("eddsa"))),
            ("called Ed25519", signed(&labelled("Ed25519"))),
            ("no alg", signed(&format!(r#"{{"typ":"JWT","kid":"{id}"}}"#))),
            ("two algs", also(r#""alg":"none""#)),
            ("no typ", signed(&format!(r#"{{"alg":"EdDSA","kid":"{id}"}}"#))),
            ("another typ", signed(&labelled("EdDSA").replacen("JWT", "at+jwt", 1))),
            ("no kid", signed(r#"{"typ":"JWT","alg":"EdDSA"}"#)),
            (
                "its own jwk",
                bringing(&format!(r#""jwk":{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)),
            ),
            ("its own jku", bringing(r#""jku":"https://evil.example/jwks.json""#)),
            ("its own x5u", bringing(r#""x5u":"https://evil.example/chain.pem""#)),
            ("its own x5c", bringing(r#""x5c":["AAAA"]"#)),
            (
                "our key and a jwk",
                also(&format!(r#""jwk":{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)),
            ),
            ("something critical", also(r#""crit":["exp"],"exp":9999999999"#)),
            ("not encoded, it says", also(r#""b64":false,"crit":["b64"]"#)),
            ("compressed, it says", also(r#""zip":"DEF""#)),
            ("one in another", also(r#""cty":"JWT""#)),
        ]
    }

    /// The header of a JWT, the footer of a PASETO.
    fn head(&self, format: TokenFormat) -> String {
        let id = &self.key_id;
        match format {
            TokenFormat::Paseto => format!(r#"{{"kid":"{id}"}}"#),
            TokenFormat::Jwt => format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{id}"}}"#),
        }
    }

    fn all_claims(&self, format: TokenFormat) -> Map<String, Value> {
        let date = |date: OffsetDateTime| match format {
            TokenFormat::Paseto => json!(date.format(&Rfc3339).expect("a date")),
            TokenFormat::Jwt => json!(date.unix_timestamp()),
        };
        let audience = match format {
            TokenFormat::Paseto => "simplebank-api".to_owned(),
            TokenFormat::Jwt => format!("simplebank/{}/access/v1", self.stage),
        };
        let now = self.now.replace_nanosecond(0).expect("a date");
        let rest = [
            ("aud", json!(audience)),
            ("iat", date(now)),
            ("nbf", date(now)),
            ("exp", date(now + Duration::minutes(10))),
        ];
        let all = self.claims.iter().cloned().chain(rest);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn payload(&self, format: TokenFormat) -> String {
        Value::Object(self.all_claims(format)).to_string()
    }

    fn sign(&self, format: TokenFormat, head: &str, payload: &str) -> String {
        match format {
            TokenFormat::Paseto => {
                let key = AsymmetricSecretKey::<V4>::from(self.key.as_slice()).expect("a key");
                let assertion = format!("simplebank/{}/access/v1", self.stage);
                let (footer, assertion) = (Some(head.as_bytes()), Some(assertion.as_bytes()));
                PublicToken::sign(&key, payload.as_bytes(), footer, assertion).expect("a token")
            }
            TokenFormat::Jwt => {
                let input = format!("{}.{}", BASE64.encode(head), BASE64.encode(payload));
                let signature = self.key.sign(&input, None);
                format!("{input}.{}", BASE64.encode(signature.as_slice()))
            }
        }
    }

    /// Payload and signature of a genuine token.
    fn parts(&self, format: TokenFormat) -> (Vec<u8>, Vec<u8>) {
        let token = self.genuine(format);
        let parts: Vec<Vec<u8>> =
            token.split('.').map(|part| BASE64.decode(part).unwrap_or_default()).collect();
        match format {
            TokenFormat::Paseto => {
                let (message, signature) = parts[2].split_at(parts[2].len() - 64);
                (message.to_vec(), signature.to_vec())
            }
            TokenFormat::Jwt => (parts[1].clone(), parts[2].clone()),
        }
    }

    fn join(format: TokenFormat, head: &str, message: &[u8], signature: &[u8]) -> String {
        match format {
            TokenFormat::Paseto => {
                let body = BASE64.encode([message, signature].concat());
                format!("v4.public.{body}.{}", BASE64.encode(head))
            }
            TokenFormat::Jwt => {
                [head.as_bytes(), message, signature].map(|part| BASE64.encode(part)).join(".")
            }
        }
    }
}

impl Clone for Forger {
    fn clone(&self) -> Self {
        Self {
            key: SecretKey::new(*self.key),
            key_id: self.key_id.clone(),
            public_text: self.public_text.clone(),
            stage: self.stage.clone(),
            claims: self.claims.clone(),
            now: self.now,
        }
    }
}

fn stranger() -> KeyPair {
    KeyPair::from_seed(Seed::new([7; 32]))
}

/// What the stranger's key is called.
fn stranger_id() -> String {
    let text = format!("k4.secret.{}", BASE64.encode(stranger().sk.as_slice()));
    SigningKey::parse(&text).expect("a key").id().to_owned()
}

fn mac<D: hmac::EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).expect("any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn swap(message: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    text.replace(&*String::from_utf8_lossy(from), &String::from_utf8_lossy(to)).into_bytes()
}

/// Adds the group's order to a signature's number, which changes nothing in the group.
fn add_order(signature: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
}

/// Sets bits of the last letter that stand for nothing.
fn loosen(token: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = token.split_at(token.len() - 1);
    let value = LETTERS.iter().position(|letter| last.as_bytes() == [*letter]).expect("base64");
    let part = token.rsplit('.').next().expect("a part");
    assert!(part.len() % 4 > 1, "every bit of the last letter stands for something");
    format!("{start}{}", char::from(LETTERS[value | 1]))
}
