-- Every session keeps the token that is of use now; those that are spent are forgotten.
REVOKE UPDATE (revoked_at, end_reason) ON sessions FROM bank_app;
DROP FUNCTION renew_session;
DROP FUNCTION begin_session;
DROP TABLE spent_refresh_tokens;
DROP TRIGGER sessions_stay_ended ON sessions;
DROP TRIGGER sessions_keep_identity ON sessions;
DROP FUNCTION refuse_session_change;
ALTER TABLE sessions
    DROP CONSTRAINT sessions_ended_check,
    DROP CONSTRAINT sessions_end_reason_check,
    DROP CONSTRAINT sessions_ends_at_check,
    DROP COLUMN end_reason,
    DROP COLUMN renewals,
    DROP COLUMN ends_at;
