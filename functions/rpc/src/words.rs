//! The bank's words as messages.

use buffa_types::google::protobuf::Timestamp;
use proto::simplebank::v1::{
    Account, CreateTransferResponse, DepositResponse, Entry, LoginUserResponse,
    RenewAccessResponse, Session, Transfer, User, WithdrawResponse,
};
use shared::{
    bank::{LoggedIn, RenewedSession},
    domain::{self, Caller, LiveSession, Posting, Transferred},
};
use time::OffsetDateTime;

pub(crate) fn user(user: domain::User) -> User {
    User {
        username: user.username.to_string(),
        full_name: user.full_name,
        email: user.email,
        password_changed_at: timestamp(user.password_changed_at).into(),
        created_at: timestamp(user.created_at).into(),
        is_email_verified: user.is_email_verified,
        role: user.role.name().to_owned(),
        ..User::default()
    }
}

pub(crate) fn logged_in(logged_in: LoggedIn) -> LoginUserResponse {
    LoginUserResponse {
        user: user(logged_in.user).into(),
        session_id: logged_in.session_id.0.to_string(),
        access_token: logged_in.access_token.token,
        refresh_token: logged_in.refresh_token.expose().to_owned(),
        access_token_expires_at: timestamp(logged_in.access_token.expires_at).into(),
        refresh_token_expires_at: timestamp(logged_in.refresh_token_expires_at).into(),
        ..LoginUserResponse::default()
    }
}

pub(crate) fn renewed(renewed: RenewedSession) -> RenewAccessResponse {
    RenewAccessResponse {
        session_id: renewed.session_id.0.to_string(),
        access_token: renewed.access_token.token,
        access_token_expires_at: timestamp(renewed.access_token.expires_at).into(),
        refresh_token: renewed.refresh_token.expose().to_owned(),
        refresh_token_expires_at: timestamp(renewed.refresh_token_expires_at).into(),
        ..RenewAccessResponse::default()
    }
}

pub(crate) fn session(session: LiveSession, caller: &Caller) -> Session {
    Session {
        id: session.id.0.to_string(),
        user_agent: session.user_agent,
        client_ip: session.client_ip,
        created_at: timestamp(session.created_at).into(),
        expires_at: timestamp(session.expires_at).into(),
        current: session.id == caller.session_id,
        ..Session::default()
    }
}

pub(crate) fn account(account: &domain::Account) -> Account {
    Account {
        id: account.id.0,
        owner: account.owner.to_string(),
        balance: account.balance.minor_units(),
        currency: account.currency.code().to_owned(),
        created_at: timestamp(account.created_at).into(),
        ..Account::default()
    }
}

pub(crate) fn entry(entry: &domain::Entry) -> Entry {
    Entry {
        id: entry.id.0,
        account_id: entry.account_id.0,
        amount: entry.amount,
        balance_after: entry.balance_after.minor_units(),
        kind: entry.kind.name().to_owned(),
        transfer_id: entry.kind.transfer_id().map(|id| id.0),
        created_at: timestamp(entry.created_at).into(),
        ..Entry::default()
    }
}

pub(crate) fn transfer(transfer: &domain::Transfer) -> Transfer {
    Transfer {
        id: transfer.id.0,
        from_account_id: transfer.from.0,
        to_account_id: transfer.to.0,
        amount: transfer.amount.minor_units(),
        currency: transfer.currency.code().to_owned(),
        created_at: timestamp(transfer.created_at).into(),
        ..Transfer::default()
    }
}

pub(crate) fn deposited(posting: &Posting) -> DepositResponse {
    DepositResponse {
        account: account(&posting.account).into(),
        entry: entry(&posting.entry).into(),
        ..DepositResponse::default()
    }
}

pub(crate) fn withdrawn(posting: &Posting) -> WithdrawResponse {
    WithdrawResponse {
        account: account(&posting.account).into(),
        entry: entry(&posting.entry).into(),
        ..WithdrawResponse::default()
    }
}

pub(crate) fn transferred(transferred: &Transferred) -> CreateTransferResponse {
    CreateTransferResponse {
        transfer: transfer(&transferred.transfer).into(),
        from_account: account(&transferred.from_account).into(),
        from_entry: entry(&transferred.from_entry).into(),
        ..CreateTransferResponse::default()
    }
}

fn timestamp(time: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(time.nanosecond()).unwrap_or_default();
    Timestamp::from_unix(time.unix_timestamp(), nanos)
}
