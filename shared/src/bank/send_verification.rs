//! A worker mails a code.

use std::time::Duration;

use super::BankError;
use crate::{
    auth::VerificationCode,
    domain::{Addressee, Claim, VerificationId},
    store::Store,
    tasks::{Mailer, verification_letter},
    telemetry::chain,
};

/// How long a code is good for.
const CODE_LIFE: Duration = Duration::from_mins(30);
/// How long a task is a worker's: as long as Lambda lets a worker live. It is free again well before the
/// queue brings it once more.
const LEASE: Duration = Duration::from_secs(30);

/// What mailing works with.
pub struct MailingTools {
    /// Where tasks and codes are.
    pub store: Box<dyn Store>,
    /// What takes the mail.
    pub mailer: Box<dyn Mailer>,
    /// Where people reach the API, without a slash at its end.
    pub public_url: String,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailing {
    /// The mail is on its way.
    Sent,
    /// It was mailed before, or nobody wants it any more.
    NotNeeded,
}

/// Mails a new code, of which the hash is stored first: whatever fails between, no code is out that the
/// bank does not know, and the task is there to be tried again. With a new code the ones before it die.
///
/// # Errors
/// When the mail was not taken, or nobody knows whether it was, or another worker is at it. The task is
/// to be tried again.
pub async fn send_verification(
    tools: &MailingTools,
    id: VerificationId,
) -> Result<Mailing, BankError> {
    let code = VerificationCode::generate().map_err(|error| BankError::Internal(error.into()))?;
    match tools.store.claim_verification(id, code.hash(), LEASE, CODE_LIFE).await? {
        Claim::Granted(addressee) => {
            if let Err(error) = deliver(tools, id, &code, &addressee).await {
                release(tools, id, &code).await;
                return Err(error);
            }
            tools.store.finish_verification(id, code.hash()).await?;
            Ok(Mailing::Sent)
        }
        Claim::Busy => Err(BankError::RequestInFlight),
        Claim::Done => Ok(Mailing::NotNeeded),
    }
}

async fn deliver(
    tools: &MailingTools,
    id: VerificationId,
    code: &VerificationCode,
    addressee: &Addressee,
) -> Result<(), BankError> {
    let letter = verification_letter(addressee, &tools.public_url, id, code)?;
    Ok(tools.mailer.send(&letter).await?)
}

/// If it cannot be given back, it is free when the lease ends.
async fn release(tools: &MailingTools, id: VerificationId, code: &VerificationCode) {
    if let Err(error) = tools.store.release_verification(id, code.hash()).await {
        tracing::warn!(email_id = id.0, cause = chain(&error), "a task stays claimed for a while");
    }
}
