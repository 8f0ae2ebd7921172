//! Pages for people: one frame, one style, no scripts, and headers that allow nothing else. One page, which is
//! written elsewhere, has scripts as well; what it may do stands here too.

use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::http::{HeaderMap, HeaderValue, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// Readable at 320 px, by day and by night, with the system's own font.
const STYLE: &str = "\
:root{color-scheme:light dark;font:100%/1.5 system-ui,sans-serif}\
body{margin:0}\
main{max-width:32rem;margin:0 auto;padding:2rem 1rem;overflow-wrap:anywhere}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\
button{font:inherit;font-weight:600;min-height:3rem;padding:.75rem 1.5rem;border:0;border-radius:.5rem;\
background:#0b5cad;color:#fff;cursor:pointer}\
button:hover{background:#094a8c}\
button:focus-visible{outline:3px solid #f0a500;outline-offset:3px}\
@media(max-width:30rem){button{width:100%}}";

/// Whatever an interactive page loads or asks comes from where the page does. Nothing is run or styled that
/// stands inside of it, and no text is made into code.
const INTERACTIVE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A page of HTML.
#[derive(Debug)]
pub struct Page {
    html: String,
    /// What the browser lets it do.
    policy: String,
}

impl Page {
    /// A page with this heading, which is its title as well, and what is below.
    #[must_use]
    pub fn new(heading: &str, content: &Markup) -> Self {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (heading) " · SimpleBank" }
                    // Browsers ask for an icon unless they are told that there is none.
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (heading) }
                        (content)
                    }
                }
            }
        };
        // It may use its own style, send its form here, and nothing else.
        let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        Self { html: page.into_string(), policy }
    }

    /// A whole page as it is written, with scripts and styles in files of their own that are served from
    /// here, and that ask nobody else.
    #[must_use]
    pub fn interactive(html: &str) -> Self {
        Self { html: html.to_owned(), policy: INTERACTIVE.to_owned() }
    }

    /// The page's text. Its headers say what it may do; that nobody may frame it; and that where it leads
    /// to is not told where it was, since its address may hold a code.
    pub(super) fn into_html(self, headers: &mut HeaderMap) -> String {
        if let Ok(policy) = HeaderValue::from_str(&self.policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_FRAME_OPTIONS, "DENY"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        self.html
    }
}
