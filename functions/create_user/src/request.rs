//! The body: `username`, `password`, `full_name`, `email`.

use shared::{
    bank::{BankError, SignUp},
    domain::{Email, FullName, Password, Username},
    http::Request,
};

pub(crate) fn sign_up_request(request: &Request) -> Result<SignUp, BankError> {
    let mut body = request.body_fields()?;
    let (name, address) = (body.peek("username").to_owned(), body.peek("email").to_owned());
    let username = body.text("username", Username::parse);
    let password = body.text("password", |text| Password::choose(text, &name, &address));
    let full_name = body.text("full_name", FullName::parse);
    let email = body.text("email", Email::parse);
    body.finish(|| {
        Some(SignUp {
            username: username?,
            password: password?,
            full_name: full_name?,
            email: email?,
        })
    })
}
