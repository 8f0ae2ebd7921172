//! The body: `refresh_token`.

use shared::{auth::RefreshToken, bank::BankError, http::Request};

/// A text that could not be a refresh token is one that is not valid.
pub(crate) fn refresh_token(request: &Request) -> Result<RefreshToken, BankError> {
    let mut body = request.body_fields()?;
    let text = body.text("refresh_token", |text| Ok(text.to_owned()));
    let text = body.finish(|| text)?;
    Ok(RefreshToken::parse(&text)?)
}
