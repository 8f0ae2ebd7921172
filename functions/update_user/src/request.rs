//! The body: `full_name`, `email`, `password`, `current_password`, each of which may be absent.

use shared::{
    bank::{BankError, UserUpdate},
    domain::{Email, FullName, Password, Username},
    http::Request,
};

pub(crate) fn user_update(request: &Request, username: &Username) -> Result<UserUpdate, BankError> {
    let mut body = request.body_fields()?;
    let address = body.peek("email").to_owned();
    let full_name = body.optional_text("full_name", FullName::parse);
    let email = body.optional_text("email", Email::parse);
    let password =
        body.optional_text("password", |text| Password::choose(text, username.as_str(), &address));
    let current_password = body.optional_text("current_password", Password::offer);
    body.finish(|| {
        Some(UserUpdate {
            full_name: full_name?,
            email: email?,
            password: password?,
            current_password: current_password?,
            client_ip: request.client().ip.clone(),
        })
    })
}
