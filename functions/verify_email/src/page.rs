//! What somebody sees who follows the link.

use maud::html;
use shared::{
    bank::BankError,
    http::{Failure, Page, Problem},
};

use crate::request::Verification;

/// The one button. The form goes to the page's own address without its query, whatever stage or domain
/// that is below.
pub(crate) fn confirmation(verification: &Verification) -> Page {
    Page::new(
        "Confirm your e-mail address",
        &html! {
            p { "Press the button to confirm that this e-mail address is yours." }
            form method="post" action="verify_email" {
                input type="hidden" name="email_id" value=(verification.id.0);
                input type="hidden" name="secret_code" value=(verification.code.expose());
                button type="submit" { "Confirm" }
            }
        },
    )
}

pub(crate) fn verified() -> Page {
    Page::new(
        "Your e-mail address is confirmed",
        &html! { p role="status" { "Thank you. You can close this page." } },
    )
}

/// How a failure is told: by a page, or as everywhere.
pub(crate) fn failure(wants_page: bool) -> impl FnOnce(BankError) -> Failure {
    move |error| Failure { error, page: wants_page.then_some(refused) }
}

fn refused(problem: &Problem) -> Page {
    let heading = match problem.status().as_u16() {
        410 => "This link is of no use any more",
        400..=499 => "This link is not one of ours",
        _ => "That did not work",
    };
    let advice = match problem.status().as_u16() {
        410 => {
            "It has been used, or it has expired, or a newer mail has been sent. If you have confirmed \
             your address before, all is well. If not, sign in and have the mail sent again."
        }
        400..=499 => "Copy the whole link from the mail, or sign in and have the mail sent again.",
        _ => "Wait a moment and follow the link in the mail once more.",
    };
    Page::new(heading, &html! { p role="alert" { (advice) } })
}
