//! The methods: message, use case, message. One file for each group of methods, as in the contract.

mod accounts;
mod money;
mod sessions;
mod transfers;
mod users;

use std::sync::Arc;

use connectrpc::{RequestContext, ServiceRequest, ServiceResult};
use proto::simplebank::v1::{
    CreateAccountRequest, CreateAccountResponse, CreateTransferRequest, CreateTransferResponse,
    CreateUserRequest, CreateUserResponse, DepositRequest, DepositResponse, GetAccountRequest,
    GetAccountResponse, GetTransferRequest, GetTransferResponse, GetUserRequest, GetUserResponse,
    ListAccountsRequest, ListAccountsResponse, ListEntriesRequest, ListEntriesResponse,
    ListSessionsRequest, ListSessionsResponse, ListTransfersRequest, ListTransfersResponse,
    LoginUserRequest, LoginUserResponse, LogoutRequest, LogoutResponse, RenewAccessRequest,
    RenewAccessResponse, ResendVerifyEmailRequest, ResendVerifyEmailResponse, RevokeSessionRequest,
    RevokeSessionResponse, SimpleBank, UpdateUserRequest, UpdateUserResponse, VerifyEmailRequest,
    VerifyEmailResponse, WithdrawRequest, WithdrawResponse,
};

use shared::{
    bank::Violations,
    domain::{Caller, History, Limit, Slice},
};

use crate::{
    app::App,
    call::{Call, into_result},
};

/// The bank as a service.
pub(crate) struct Service(pub(crate) Arc<App>);

/// Each method is a function of the app, the call and the message.
macro_rules! methods {
    ($($method:ident: $request:ty => $response:ty = $function:path;)*) => {
        #[expect(refining_impl_trait_internal, reason = "each answers with its own message")]
        impl SimpleBank for Service {
            $(
                async fn $method(
                    &self,
                    context: RequestContext,
                    request: ServiceRequest<'_, $request>,
                ) -> ServiceResult<$response> {
                    into_result($function(&self.0, &Call(context), request).await)
                }
            )*
        }
    };
}

methods! {
    create_user: CreateUserRequest => CreateUserResponse = users::create;
    get_user: GetUserRequest => GetUserResponse = users::get;
    update_user: UpdateUserRequest => UpdateUserResponse = users::update;
    verify_email: VerifyEmailRequest => VerifyEmailResponse = users::verify_email;
    resend_verify_email: ResendVerifyEmailRequest => ResendVerifyEmailResponse = users::resend;

    login_user: LoginUserRequest => LoginUserResponse = sessions::log_in;
    renew_access: RenewAccessRequest => RenewAccessResponse = sessions::renew;
    logout: LogoutRequest => LogoutResponse = sessions::log_out;
    list_sessions: ListSessionsRequest => ListSessionsResponse = sessions::list;
    revoke_session: RevokeSessionRequest => RevokeSessionResponse = sessions::revoke;

    create_account: CreateAccountRequest => CreateAccountResponse = accounts::create;
    get_account: GetAccountRequest => GetAccountResponse = accounts::get;
    list_accounts: ListAccountsRequest => ListAccountsResponse = accounts::list;

    deposit: DepositRequest => DepositResponse = money::deposit;
    withdraw: WithdrawRequest => WithdrawResponse = money::withdraw;
    list_entries: ListEntriesRequest => ListEntriesResponse = money::list_entries;

    create_transfer: CreateTransferRequest => CreateTransferResponse = transfers::create;
    get_transfer: GetTransferRequest => GetTransferResponse = transfers::get;
    list_transfers: ListTransfersRequest => ListTransfersResponse = transfers::list;
}

/// Checks `limit` and `cursor`, which may both be absent. `None` stands for a violation that was noted.
fn slice(
    fields: &mut Violations,
    app: &App,
    caller: &Caller,
    list: History,
    limit: Option<i32>,
    cursor: &str,
) -> Option<Slice> {
    let limit = fields.optional_number("limit", limit, Limit::new);
    let cursor = Some(cursor).filter(|cursor| !cursor.is_empty());
    let open = |cursor: &str| app.cursors.open(&caller.username, list, cursor);
    let before = fields.optional_text("cursor", cursor, open);
    Some(Slice { limit: limit?.unwrap_or_default(), before: before? })
}
