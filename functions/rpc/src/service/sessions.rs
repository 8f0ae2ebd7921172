//! Sessions: beginning, renewing, seeing and ending them.

use connectrpc::{Response, ServiceRequest};
use proto::simplebank::v1::{
    ListSessionsRequest, ListSessionsResponse, LoginUserRequest, LoginUserResponse, LogoutRequest,
    LogoutResponse, RenewAccessRequest, RenewAccessResponse, RevokeSessionRequest,
    RevokeSessionResponse,
};
use shared::{
    auth::RefreshToken,
    bank::{self, BankError, LogIn, Violations},
    domain::{Password, SessionId, Username},
};

use crate::{app::App, call::Call, words};

pub(crate) async fn log_in(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, LoginUserRequest>,
) -> Result<Response<LoginUserResponse>, BankError> {
    let mut fields = Violations::default();
    let username = fields.text("username", request.username, Username::parse);
    let password = fields.text("password", request.password, Password::offer);
    let client = call.client();
    let log_in =
        fields.finish(|| Some(LogIn { username: username?, password: password?, client }))?;
    let logged_in = bank::log_in(&*app.store, &app.log_in, log_in).await?;
    Ok(words::logged_in(logged_in).into())
}

/// A text that could not be a refresh token is one that is not valid.
pub(crate) async fn renew(
    app: &App,
    _: &Call,
    request: ServiceRequest<'_, RenewAccessRequest>,
) -> Result<Response<RenewAccessResponse>, BankError> {
    let presented = RefreshToken::parse(request.refresh_token)?;
    let renewed = bank::renew_session(&*app.store, &app.renewal, &presented).await?;
    Ok(words::renewed(renewed).into())
}

pub(crate) async fn log_out(
    app: &App,
    call: &Call,
    _: ServiceRequest<'_, LogoutRequest>,
) -> Result<Response<LogoutResponse>, BankError> {
    bank::log_out(&*app.store, call.caller()?).await?;
    Ok(LogoutResponse::default().into())
}

pub(crate) async fn list(
    app: &App,
    call: &Call,
    _: ServiceRequest<'_, ListSessionsRequest>,
) -> Result<Response<ListSessionsResponse>, BankError> {
    let caller = call.caller()?;
    let sessions = bank::list_sessions(&*app.store, caller).await?;
    let sessions = sessions.into_iter().map(|session| words::session(session, caller)).collect();
    Ok(ListSessionsResponse { sessions, ..Default::default() }.into())
}

pub(crate) async fn revoke(
    app: &App,
    call: &Call,
    request: ServiceRequest<'_, RevokeSessionRequest>,
) -> Result<Response<RevokeSessionResponse>, BankError> {
    let mut fields = Violations::default();
    let id = fields.text("id", request.id, SessionId::parse);
    let id = fields.finish(|| id)?;
    bank::end_session(&*app.store, call.caller()?, id).await?;
    Ok(RevokeSessionResponse::default().into())
}
