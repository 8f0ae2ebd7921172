//! Request, use case, reply, for each route. Whoever follows the link in the mail gets pages.

use std::sync::Arc;

use shared::{
    bank::{self, BankError},
    clock::Clock,
    http::{Failure, Reply, Request},
    store::Store,
    tasks::TaskQueue,
};

use crate::{
    page,
    request::{mailed_code, sent_code},
    response::VerifiedBody,
};

/// What addresses are verified with.
pub(crate) struct App {
    pub(crate) store: Box<dyn Store>,
    pub(crate) queue: Box<dyn TaskQueue>,
    pub(crate) clock: Box<dyn Clock>,
}

pub(crate) async fn route(app: Arc<App>, request: Request) -> Result<Reply, Failure> {
    match request.route() {
        "GET /verify_email" => show(&request).map_err(page::failure(request.wants_page())),
        "POST /verify_email" => {
            let wants_page = request.is_form() && request.wants_page();
            confirm(&app, &request, wants_page).await.map_err(page::failure(wants_page))
        }
        "POST /verify_email/resend" => Ok(resend(&app, &request).await?),
        _ => Err(BankError::NotFound.into()),
    }
}

/// Looks at nothing and changes nothing: programs that read mail follow links too.
fn show(request: &Request) -> Result<Reply, BankError> {
    let verification = mailed_code(request)?;
    Ok(Reply::page(page::confirmation(&verification)))
}

async fn confirm(app: &App, request: &Request, wants_page: bool) -> Result<Reply, BankError> {
    let verification = sent_code(request)?;
    bank::verify_email(&*app.store, verification.id, &verification.code).await?;
    if wants_page {
        Ok(Reply::page(page::verified()))
    } else {
        Reply::ok(&VerifiedBody { is_verified: true })
    }
}

async fn resend(app: &App, request: &Request) -> Result<Reply, BankError> {
    let caller = request.caller(&*app.clock)?;
    request.refuse_query()?;
    bank::resend_verification(&*app.store, &*app.queue, &caller).await?;
    Ok(Reply::accepted())
}
