//! The letters that the bank writes, each as text and as HTML.

use maud::{DOCTYPE, html};

use crate::{
    auth::VerificationCode,
    domain::{Addressee, Email, VerificationId},
};

/// A mail to one address.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// Words of the bank's own.
    pub subject: &'static str,
    /// For those who read plain text.
    pub text: String,
    /// For the others.
    pub html: String,
}

/// Somebody to whom no letter can be written: the data hold an address or a name that the bank takes
/// from nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no letter can be written to such {0}")]
pub struct Unwritable(&'static str);

/// The letter with the link that verifies an address. `public_url` is where people reach the API.
///
/// # Errors
/// When the address is none, or the name holds control characters. Mark-up in a name is harmless.
pub fn verification_letter(
    addressee: &Addressee,
    public_url: &str,
    id: VerificationId,
    code: &VerificationCode,
) -> Result<Letter, Unwritable> {
    let Addressee { email, full_name } = addressee;
    Email::parse(email).map_err(|_| Unwritable("an address"))?;
    if full_name.chars().any(char::is_control) {
        return Err(Unwritable("a name"));
    }
    let link = format!("{public_url}/verify_email?email_id={}&secret_code={}", id.0, code.expose());
    let text = format!(
        "Hello {full_name},\n\
         \n\
         please confirm that this is your e-mail address at SimpleBank:\n\
         \n\
         {link}\n\
         \n\
         The link is good for 30 minutes and for one use. If you did not ask for it, ignore this \
         mail: nothing happens.\n\
         \n\
         SimpleBank\n"
    );
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Confirm your e-mail address" }
            }
            body style="font-family: sans-serif; line-height: 1.5; max-width: 36em" {
                p { "Hello " (full_name) "," }
                p { "please confirm that this is your e-mail address at SimpleBank:" }
                p { a href=(link) { "Confirm my e-mail address" } }
                p {
                    "The link is good for 30 minutes and for one use. If you did not ask for it, "
                    "ignore this mail: nothing happens."
                }
                p { "SimpleBank" }
            }
        }
    };
    Ok(Letter {
        to: email.clone(),
        subject: "Confirm your e-mail address",
        text,
        html: html.into_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(full_name: &str, email: &str) -> Result<Letter, Unwritable> {
        let addressee = Addressee { email: email.to_owned(), full_name: full_name.to_owned() };
        let code = VerificationCode::parse(&"0123456789abcdef".repeat(2)).unwrap();
        verification_letter(&addressee, "https://api.example.com/dev", VerificationId(7), &code)
    }

    #[test]
    fn both_parts_have_the_link() {
        let letter = letter("Zoë O'Hara", "zoe@example.com").unwrap();
        let code = "0123456789abcdef0123456789abcdef";
        let link =
            format!("https://api.example.com/dev/verify_email?email_id=7&secret_code={code}");
        assert!(letter.text.contains(&format!("\n{link}\n")), "{}", letter.text);
        assert!(letter.html.contains(&link.replace('&', "&amp;")), "{}", letter.html);
        assert!(letter.text.starts_with("Hello Zoë O'Hara,\n"));
        assert!(letter.html.contains("Hello Zoë O'Hara,"));
        assert_eq!(letter.to, "zoe@example.com");
    }

    #[test]
    fn mark_up_in_a_name_is_text() {
        let name = "<a href=//evil.example>\"&amp;";
        let letter = letter(name, "eve@example.com").unwrap();
        let escaped = "&lt;a href=//evil.example&gt;&quot;&amp;amp;";
        assert!(letter.html.contains(escaped), "{}", letter.html);
        assert!(!letter.html.contains("<a href=//"));
        assert!(letter.text.contains(name));
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        let refused = |name, email| letter(name, email).err().unwrap();
        assert_eq!(refused("A\r\nBcc: x@example.com", "a@example.com"), Unwritable("a name"));
        assert_eq!(refused("A\u{0}", "a@example.com"), Unwritable("a name"));
        assert_eq!(refused("A", "a@example.com\r\nBcc: x@example.com"), Unwritable("an address"));
        assert_eq!(refused("A", "a@example.com, x@example.com"), Unwritable("an address"));
    }
}
