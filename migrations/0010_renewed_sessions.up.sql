-- Sessions that are renewed, and that end for good.
--
-- A session is a family of refresh tokens of which one is of use: the row holds its hash. A renewal
-- puts its successor there and keeps the hash of the one that is spent, so that it is known when it is
-- shown again: within a few seconds it is a retry, later a theft. The last few thousand are kept.
--
-- `expires_at` moves with each renewal, up to `ends_at`, which never moves.
ALTER TABLE sessions
    ADD COLUMN ends_at timestamptz NOT NULL DEFAULT now() + interval '31 days',
    ADD COLUMN renewals bigint NOT NULL DEFAULT 0,
    -- Why it was ended before its time, where the bank did it.
    ADD COLUMN end_reason text;

UPDATE sessions SET ends_at = greatest(expires_at, created_at + interval '30 days');

ALTER TABLE sessions
    ADD CONSTRAINT sessions_ends_at_check CHECK (expires_at <= ends_at),
    ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN (
        'logged_out', 'revoked', 'displaced', 'token_reused', 'password_changed'
    )),
    ADD CONSTRAINT sessions_ended_check CHECK (revoked_at IS NOT NULL OR end_reason IS NULL);

CREATE TABLE spent_refresh_tokens (
    token_hash     sha256_digest NOT NULL,
    session_id     uuid          NOT NULL,
    -- Counts the session's spent tokens from 1.
    number         bigint        NOT NULL,
    successor_hash sha256_digest NOT NULL,
    spent_at       timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT spent_refresh_tokens_pkey PRIMARY KEY (token_hash),
    CONSTRAINT spent_refresh_tokens_number_key UNIQUE (session_id, number),
    CONSTRAINT spent_refresh_tokens_session_fkey FOREIGN KEY (session_id) REFERENCES sessions (id)
        ON DELETE CASCADE
);

CREATE FUNCTION refuse_session_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = 'a session keeps its user and its last hour, and once it has ended it stays so',
        CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER sessions_keep_identity
    BEFORE UPDATE OF id, username, ends_at ON sessions
    EXECUTE FUNCTION refuse_session_change();
CREATE TRIGGER sessions_stay_ended
    BEFORE UPDATE ON sessions
    FOR EACH ROW WHEN (
        OLD.revoked_at IS NOT NULL
        OR (OLD.expires_at <= now() AND NEW.expires_at > OLD.expires_at)
    )
    EXECUTE FUNCTION refuse_session_change();
CREATE TRIGGER spent_refresh_tokens_append_only
    BEFORE UPDATE OR TRUNCATE ON spent_refresh_tokens
    EXECUTE FUNCTION refuse_session_change();

-- Begins a session for somebody whose password was right a moment ago.
--
-- outcome is 'begun', or 'password_changed' when the password that was right is no longer theirs, or
-- 'locked' when others have locked the name or the address in the meantime; then locked_secs says for
-- how long. The user's row is locked first: of log-ins and password changes side by side, one is after
-- the other.
CREATE FUNCTION begin_session(
    new_id              uuid,
    new_username        text,
    -- When the password was set that was right.
    proven_changed_at   timestamptz,
    -- The same password hashed by the present parameters, if it was hashed by weaker ones.
    stronger_hash       text,
    new_token_hash      bytea,
    new_user_agent      text,
    new_client_ip       text,
    login_address       text,
    idle_secs           bigint,
    life_secs           bigint,
    max_live            integer,
    OUT outcome         text,
    OUT locked_secs     bigint,
    OUT session_expires_at timestamptz
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
BEGIN
    PERFORM FROM public.users
    WHERE users.username = new_username AND users.password_changed_at = proven_changed_at
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        outcome := 'password_changed';
        RETURN;
    END IF;

    -- A failure that is being counted is waited for.
    PERFORM FROM public.login_failures
    WHERE login_failures.kind = 'name' AND login_failures.subject = new_username
    FOR UPDATE;
    locked_secs := public.login_lock_secs(new_username, login_address);
    IF locked_secs IS NOT NULL THEN
        outcome := 'locked';
        RETURN;
    END IF;
    DELETE FROM public.login_failures
    WHERE login_failures.kind = 'name' AND login_failures.subject = new_username;

    UPDATE public.users SET hashed_password = stronger_hash
    WHERE users.username = new_username AND stronger_hash IS NOT NULL;

    UPDATE public.sessions
    SET revoked_at = now(), end_reason = 'displaced'
    WHERE sessions.id IN (
        SELECT live.id
        FROM public.sessions AS live
        WHERE live.username = new_username AND live.revoked_at IS NULL AND live.expires_at > now()
        ORDER BY live.created_at DESC, live.id DESC
        OFFSET max_live - 1
    )
      -- One that ended while it was waited for.
      AND sessions.revoked_at IS NULL;
    PERFORM public.forget_login_failures();
    -- What ended long ago is of no use to anybody.
    DELETE FROM public.sessions
    WHERE sessions.username = new_username
      AND coalesce(sessions.revoked_at, sessions.expires_at) < now() - interval '30 days';

    INSERT INTO public.sessions
        (id, username, refresh_token_hash, user_agent, client_ip, expires_at, ends_at)
    VALUES (new_id, new_username, new_token_hash, new_user_agent, new_client_ip,
            now() + least(idle_secs, life_secs) * interval '1 second',
            now() + life_secs * interval '1 second')
    RETURNING sessions.expires_at INTO session_expires_at;
    outcome := 'begun';
END
$$;

-- Spends a refresh token for its successor.
--
-- outcome is 'renewed'; 'replayed' when the token was spent within the last retry_secs, and its first
-- successor stands; 'unknown'; 'ended' when its session has; 'reused' when it was spent before that,
-- which ends the session: somebody else may have it. Of renewals side by side one spends the token, and
-- the others wait for it and find it spent.
CREATE FUNCTION renew_session(
    presented_hash bytea,
    next_hash      bytea,
    idle_secs      bigint,
    retry_secs     bigint,
    OUT outcome            text,
    OUT session_id         uuid,
    OUT session_username   text,
    OUT session_expires_at timestamptz,
    OUT successor_hash     bytea
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
    -- A client that renews as often as its access token ends comes to 4,320 in thirty days.
    max_spent CONSTANT bigint := 5000;
    current_session record;
    spent           record;
BEGIN
    SELECT id, username, renewals, revoked_at IS NULL AND expires_at > now() AS is_live
    INTO current_session
    FROM public.sessions
    WHERE sessions.refresh_token_hash = presented_hash
    FOR NO KEY UPDATE;
    IF FOUND THEN
        session_id := current_session.id;
        IF NOT current_session.is_live THEN
            outcome := 'ended';
            RETURN;
        END IF;
        INSERT INTO public.spent_refresh_tokens (token_hash, session_id, number, successor_hash)
        VALUES (presented_hash, current_session.id, current_session.renewals + 1, next_hash);
        DELETE FROM public.spent_refresh_tokens
        WHERE spent_refresh_tokens.session_id = current_session.id
          AND spent_refresh_tokens.number <= current_session.renewals + 1 - max_spent;
        UPDATE public.sessions
        SET refresh_token_hash = next_hash,
            renewals = sessions.renewals + 1,
            expires_at = least(now() + idle_secs * interval '1 second', ends_at)
        WHERE sessions.id = current_session.id
        RETURNING sessions.expires_at INTO session_expires_at;
        outcome := 'renewed';
        session_username := current_session.username;
        successor_hash := next_hash;
        RETURN;
    END IF;

    SELECT sessions.id, sessions.username, sessions.expires_at,
           sessions.revoked_at IS NULL AND sessions.expires_at > now() AS is_live,
           spent_refresh_tokens.successor_hash,
           spent_refresh_tokens.spent_at > now() - retry_secs * interval '1 second' AS is_retry
    INTO spent
    FROM public.spent_refresh_tokens
    JOIN public.sessions ON sessions.id = spent_refresh_tokens.session_id
    WHERE spent_refresh_tokens.token_hash = presented_hash;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;

    session_id := spent.id;
    IF NOT spent.is_live THEN
        outcome := 'ended';
    ELSIF spent.is_retry THEN
        outcome := 'replayed';
        session_username := spent.username;
        session_expires_at := spent.expires_at;
        successor_hash := spent.successor_hash;
    ELSE
        UPDATE public.sessions
        SET revoked_at = now(), end_reason = 'token_reused'
        WHERE sessions.id = spent.id AND sessions.revoked_at IS NULL;
        -- Of thieves side by side one ends it, and the others find it ended.
        outcome := CASE WHEN FOUND THEN 'reused' ELSE 'ended' END;
    END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION begin_session, renew_session, refuse_session_change FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_session, renew_session TO bank_app;
GRANT UPDATE (revoked_at, end_reason) ON sessions TO bank_app;
