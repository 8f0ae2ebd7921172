//! The body: `username`, `password`.

use shared::{
    bank::{BankError, LogIn},
    domain::{Password, Username},
    http::Request,
};

pub(crate) fn log_in_request(request: &Request) -> Result<LogIn, BankError> {
    let mut body = request.body_fields()?;
    let username = body.text("username", Username::parse);
    let password = body.text("password", Password::offer);
    body.finish(|| {
        Some(LogIn { username: username?, password: password?, client: request.client().clone() })
    })
}
