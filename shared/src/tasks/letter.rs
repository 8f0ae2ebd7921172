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

/// Somebody to whom no letter can be written: the data hold an address that the bank takes from nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no letter can be written to such an address")]
pub struct Unwritable;

/// The letter with the link that verifies an address. `public_url` is where people reach the API.
///
/// It may go to somebody who never asked for it, so that nothing in it is chosen freely by whoever signed up: a
/// full name could be an advertisement with a link, in a mail that the bank signs. A username has no room for one.
///
/// # Errors
/// When the address is none.
pub fn verification_letter(
    addressee: &Addressee,
    public_url: &str,
    id: VerificationId,
    code: &VerificationCode,
) -> Result<Letter, Unwritable> {
    let Addressee { email, username } = addressee;
    Email::parse(email).map_err(|_| Unwritable)?;
    let username = username.as_str();
    let link = format!("{public_url}/verify_email?email_id={}&secret_code={}", id.0, code.expose());
    let text = format!(
        "Hello {username},\n\
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
                p { "Hello " (username) "," }
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
    use crate::domain::Username;

    fn letter(email: &str) -> Result<Letter, Unwritable> {
        let username = Username::parse("zoe_1").unwrap();
        let addressee = Addressee { email: email.to_owned(), username };
        let code = VerificationCode::parse(&"0123456789abcdef".repeat(2)).unwrap();
        verification_letter(&addressee, "https://api.example.com/dev", VerificationId(7), &code)
    }

    #[test]
    fn both_parts_have_the_link() {
        let letter = letter("zoe@example.com").unwrap();
        let code = "0123456789abcdef0123456789abcdef";
        let link =
            format!("https://api.example.com/dev/verify_email?email_id=7&secret_code={code}");
        assert!(letter.text.contains(&format!("\n{link}\n")), "{}", letter.text);
        assert!(letter.html.contains(&link.replace('&', "&amp;")), "{}", letter.html);
        assert!(letter.text.starts_with("Hello zoe_1,\n"));
        assert!(letter.html.contains("Hello zoe_1,"));
        assert_eq!(letter.to, "zoe@example.com");
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        for email in ["a@example.com\r\nBcc: x@example.com", "a@example.com, x@example.com"] {
            assert_eq!(letter(email).err(), Some(Unwritable), "{email}");
        }
    }
}
