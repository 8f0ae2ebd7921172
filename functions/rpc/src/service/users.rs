//! Users: signing up, seeing and changing them, verifying their addresses.

use connectrpc::{Response, ServiceRequest};
use proto::simplebank::v1::{
    CreateUserRequest, CreateUserResponse, GetUserRequest, GetUserResponse,
    ResendVerifyEmailRequest, ResendVerifyEmailResponse, UpdateUserRequest, UpdateUserResponse,
    VerifyEmailRequest, VerifyEmailResponse,
};
use shared::{
    auth::VerificationCode,
    bank::{self, BankError, SignUp, UserUpdate, Violations},
    domain::{Email, FullName, Password, Username, VerificationId},
};

use crate::{app::App, call::Call, words};

pub(crate) async fn create(
    app: &App,
    _: &Call,
    request: ServiceRequest<'_, CreateUserRequest>,
) -> Result<Response<CreateUserResponse>, BankError> {
    let mut fields = Violations::default();
    let (name, address) = (request.username, request.email);
    let username = fields.text("username", name, Username::parse);
    let choose = |text: &str| Password::choose(text, name, address);
    let password = fields.text("password", request.password, choose);
    let full_name = fields.text("full_name", request.full_name, FullName::parse);
    let email = fields.text("email", address, Email::parse);
    let sign_up = fields.finish(|| {
        Some(SignUp {
            username: username?,
            password: password?,
            full_name: full_name?,
            email: email?,
        })
    })?;
    let passwords = &app.log_in.prover.passwords;
    let user = bank::sign_up(&*app.store, &*app.queue, passwords, sign_up).await?;
    Ok(CreateUserResponse { user: words::user(user).into(), ..Default::default() }.into())
}

pub(crate) async fn get(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, GetUserRequest>,
) -> Result<Response<GetUserResponse>, BankError> {
    let mut fields = Violations::default();
    let username = fields.text("username", request.username, Username::parse);
    let username = fields.finish(|| username)?;
    let user = bank::get_user(&*app.store, call.caller()?, &username).await?;
    Ok(GetUserResponse { user: words::user(user).into(), ..Default::default() }.into())
}

pub(crate) async fn update(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, UpdateUserRequest>,
) -> Result<Response<UpdateUserResponse>, BankError> {
    let mut fields = Violations::default();
    let (name, address) = (request.username, request.email.unwrap_or_default());
    let username = fields.text("username", name, Username::parse);
    let choose = |text: &str| Password::choose(text, name, address);
    let password = fields.optional_text("password", request.password, choose);
    let full_name = fields.optional_text("full_name", request.full_name, FullName::parse);
    let email = fields.optional_text("email", request.email, Email::parse);
    let current_password =
        fields.optional_text("current_password", request.current_password, Password::offer);
    let client_ip = call.client().ip;
    let (username, update) = fields.finish(|| {
        let update = UserUpdate {
            full_name: full_name?,
            email: email?,
            password: password?,
            current_password: current_password?,
            client_ip,
        };
        Some((username?, update))
    })?;
    let App { store, queue, .. } = app;
    let (prover, caller) = (&app.log_in.prover, call.caller()?);
    let user = bank::update_user(&**store, &**queue, prover, caller, &username, update).await?;
    Ok(UpdateUserResponse { user: words::user(user).into(), ..Default::default() }.into())
}

pub(crate) async fn verify_email(
    app: &App,
    _: &Call,
    request: ServiceRequest<'_, VerifyEmailRequest>,
) -> Result<Response<VerifyEmailResponse>, BankError> {
    let mut fields = Violations::default();
    let id = fields.note("email_id", VerificationId::new(request.email_id));
    let code = fields.text("secret_code", request.secret_code, VerificationCode::parse);
    let (id, code) = fields.finish(|| id.zip(code))?;
    bank::verify_email(&*app.store, id, &code).await?;
    Ok(VerifyEmailResponse { is_verified: true, ..Default::default() }.into())
}

pub(crate) async fn resend(
    app: &App,
    call: &Call,
    _: ServiceRequest<'_, ResendVerifyEmailRequest>,
) -> Result<Response<ResendVerifyEmailResponse>, BankError> {
    bank::resend_verification(&*app.store, &*app.queue, call.caller()?).await?;
    Ok(ResendVerifyEmailResponse::default().into())
}
