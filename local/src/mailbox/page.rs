//! How mail looks in a browser. Whatever is in a mail is shown as text, or by a frame that may do
//! nothing but follow a link that somebody clicks.

use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use regex::Regex;

use crate::emulator::Mail;

/// The list's path.
pub(super) const LIST: &str = "/_local/mail";

const STYLE: &str = "
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 1rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; overflow-wrap: anywhere }
li { margin: 1rem 0 } ul { list-style: none; padding: 0 }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin-top: 2rem }
pre { font: inherit; white-space: pre-wrap; background: #f4f4f4; padding: 1rem }
iframe { width: 100%; height: 30rem; border: 1px solid #ccc; background: #fff }
small { color: #555 }";

/// A link in the mail replaces the whole page, and what it opens is not held in by the frame.
const SANDBOX: &str =
    "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";
const LINKS_LEAVE_THE_FRAME: &str = "<base target=\"_top\">";

/// An address in a text, without the full stop of the sentence that it ends.
#[expect(clippy::unwrap_used, reason = "a constant, which the tests compile")]
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"https?://[^\s<>"]*[^\s<>".,;:!?'()\[\]]"#).unwrap());

/// All mail, or one address's.
pub(super) fn list(mail: &[Mail], to: Option<&str>) -> Markup {
    frame(
        "Mail",
        &html! {
            @if let Some(to) = to {
                p { "To " (to) ". " a href=(LIST) { "All mail" } }
            }
            @if mail.is_empty() {
                p { "No mail yet." }
            }
            ul {
                @for one in mail {
                    li {
                        a href=(format!("{LIST}/{}", encoded(&one.id))) { (subject(one)) }
                        br;
                        small {
                            "to " a href=(format!("{LIST}?to={}", encoded(&one.to))) { (one.to) }
                            @if let Some(sent_at) = &one.sent_at { " at " (sent_at) }
                        }
                    }
                }
            }
        },
    )
}

/// One mail, of which there is a copy for each recipient.
pub(super) fn show(copies: &[Mail]) -> Option<Markup> {
    let mail = copies.first()?;
    let to: Vec<&str> = copies.iter().map(|copy| copy.to.as_str()).collect();
    Some(frame(
        subject(mail),
        &html! {
            p { a href=(LIST) { "All mail" } }
            p { small {
                "to " (to.join(", "))
                @if let Some(sent_at) = &mail.sent_at { " at " (sent_at) }
            } }
            @if let Some(text) = &mail.text {
                h2 { "Text" }
                pre { (with_links(text)) }
            }
            @if let Some(source) = &mail.html {
                h2 { "HTML" }
                iframe title="HTML" sandbox=(SANDBOX) srcdoc=(format!("{LINKS_LEAVE_THE_FRAME}{source}")) {}
            }
        },
    ))
}

fn frame(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (content)
            }
        }
    }
}

fn subject(mail: &Mail) -> &str {
    mail.subject.as_deref().filter(|subject| !subject.trim().is_empty()).unwrap_or("(no subject)")
}

fn with_links(text: &str) -> Markup {
    let mut end = 0;
    let mut pieces = Vec::new();
    for link in LINK.find_iter(text) {
        pieces.push((text.get(end..link.start()).unwrap_or_default(), link.as_str()));
        end = link.end();
    }
    html! {
        @for (before, link) in pieces { (before) a href=(link) { (link) } }
        (text.get(end..).unwrap_or_default())
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(text: &str) -> Mail {
        Mail {
            id: "a/b".to_owned(),
            to: "a+<b>@example.com".to_owned(),
            subject: Some("<script>".to_owned()),
            text: Some(text.to_owned()),
            html: Some("<p title=\"x\">&amp;</p>".to_owned()),
            sent_at: None,
        }
    }

    #[test]
    fn links_can_be_clicked_and_nothing_else_is_one() {
        let linked = |url: &str| format!("<a href=\"{url}\">{url}</a>");
        for (text, expected) in [
            ("no link", "no link".to_owned()),
            ("<b>javascript:x</b>", "&lt;b&gt;javascript:x&lt;/b&gt;".to_owned()),
            ("See http://a/b?c=d. Bye", format!("See {}. Bye", linked("http://a/b?c=d"))),
            ("(https://a.test/)", format!("({})", linked("https://a.test/"))),
            ("http://a http://a", format!("{} {}", linked("http://a"), linked("http://a"))),
            ("http://a?b&c=\"d", format!("{}&quot;d", linked("http://a?b&amp;c="))),
        ] {
            assert_eq!(with_links(text).into_string(), expected);
        }
    }

    #[test]
    fn everything_of_a_mail_is_escaped() {
        let list = list(&[mail("")], Some("<i>")).into_string();
        for expected in [
            ">&lt;script&gt;</a>",
            "href=\"/_local/mail/a%2Fb\"",
            "href=\"/_local/mail?to=a%2B%3Cb%3E%40example.com\">a+&lt;b&gt;@example.com</a>",
            "To &lt;i&gt;.",
        ] {
            assert!(list.contains(expected), "{list}");
        }
        let show = show(&[mail("</pre><script>")]).unwrap().into_string();
        for expected in [
            "<title>&lt;script&gt;</title>",
            "<pre>&lt;/pre&gt;&lt;script&gt;</pre>",
            "srcdoc=\"&lt;base target=&quot;_top&quot;&gt;&lt;p title=&quot;x&quot;&gt;&amp;amp;&lt;/p&gt;\"",
        ] {
            assert!(show.contains(expected), "{show}");
        }
        assert!(!list.contains("<script") && !show.contains("<script"));
    }
}
