-- Addresses that are verified by a mail, and the outbox of those mails.
--
-- A row is the wish to have one address verified. It is written in the transaction that gives rise to
-- the wish, and is the task of the outbox at the same time: whoever wrote it publishes its number to the
-- queue after the commit, `relay_outbox` publishes what nobody could, and the worker that receives it
-- claims the row, keeps the hash of a code here, sends the mail and marks the row as done.
CREATE TABLE verify_emails (
    -- Random, and small enough for readers of JSON: nobody finds others' codes to guess at by counting.
    id            bigint        NOT NULL
        DEFAULT ('x' || right(replace(gen_random_uuid()::text, '-', ''), 13))::bit(52)::bigint + 1,
    username      text          NOT NULL,
    email         text          NOT NULL,
    reason        text          NOT NULL,
    -- Not now(): what waited for another transaction is younger than that one's.
    created_at    timestamptz   NOT NULL DEFAULT clock_timestamp(),
    -- When it is the relay's to publish, unless somebody has.
    due_at        timestamptz   NOT NULL DEFAULT clock_timestamp() + interval '20 seconds',
    published_at  timestamptz,
    -- Until when a worker has it for itself.
    claimed_until timestamptz,
    -- When it was mailed, or found to be no longer wanted.
    done_at       timestamptz,
    -- Of the code that was mailed last, for as long as it is of use; and until when it can be.
    secret_hash   sha256_digest,
    expires_at    timestamptz,
    tries         integer       NOT NULL DEFAULT 0,
    used_at       timestamptz,
    CONSTRAINT verify_emails_pkey PRIMARY KEY (id),
    CONSTRAINT verify_emails_username_fkey FOREIGN KEY (username) REFERENCES users (username),
    CONSTRAINT verify_emails_reason_check CHECK (reason IN ('sign_up', 'email_changed', 'resend')),
    CONSTRAINT verify_emails_code_check CHECK (secret_hash IS NULL OR expires_at IS NOT NULL),
    CONSTRAINT verify_emails_used_check CHECK (used_at IS NULL OR secret_hash IS NULL)
);

-- A user has one code that is of use, or none.
CREATE UNIQUE INDEX verify_emails_code_key ON verify_emails (username) WHERE secret_hash IS NOT NULL;
CREATE INDEX verify_emails_username_idx ON verify_emails (username, created_at);
CREATE INDEX verify_emails_due_idx ON verify_emails (due_at)
    WHERE published_at IS NULL AND done_at IS NULL;
CREATE INDEX verify_emails_done_idx ON verify_emails (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX verify_emails_undone_idx ON verify_emails (created_at) WHERE done_at IS NULL;

-- For how many seconds a user has to wait for a further mail of a kind, of which there may be so many a
-- day and one after each gap; null if not at all.
CREATE FUNCTION verify_email_wait_secs(name text, kind text, gap interval, a_day integer)
RETURNS bigint
LANGUAGE sql
STABLE
AS $$
    SELECT ceil(extract(epoch FROM max(waits.until) - clock_timestamp()))::bigint
    FROM (
        (SELECT latest.created_at + gap AS until
         FROM public.verify_emails AS latest
         WHERE latest.username = name AND latest.reason = kind
         ORDER BY latest.created_at DESC LIMIT 1)
        UNION ALL
        (SELECT last_of_a_day.created_at + interval '1 day'
         FROM public.verify_emails AS last_of_a_day
         WHERE last_of_a_day.username = name AND last_of_a_day.reason = kind
         ORDER BY last_of_a_day.created_at DESC LIMIT 1 OFFSET a_day - 1)
    ) AS waits
    HAVING max(waits.until) > clock_timestamp()
$$;

-- Writes a further task for the caller's own address, if that is not verified.
--
-- outcome is 'written'; 'verified' when there is nothing to do; 'session_ended'; or 'too_many', and then
-- wait_secs says for how long. The user's row is locked first, here and below: whatever concerns one
-- user's address happens one after the other.
CREATE FUNCTION request_verify_email(
    caller_session_id uuid,
    caller_username   text,
    OUT outcome   text,
    OUT email_id  bigint,
    OUT wait_secs bigint
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    caller record;
BEGIN
    SELECT users.email, users.is_email_verified INTO caller
    FROM public.users
    WHERE users.username = caller_username
      AND EXISTS (
          SELECT FROM public.live_sessions
          WHERE live_sessions.id = caller_session_id AND live_sessions.username = caller_username
      )
    FOR NO KEY UPDATE;
    -- Asked again: it may have ended while this waited.
    PERFORM FROM public.live_sessions
    WHERE live_sessions.id = caller_session_id AND live_sessions.username = caller_username;
    IF NOT FOUND OR caller.email IS NULL THEN
        outcome := 'session_ended';
    ELSIF caller.is_email_verified THEN
        outcome := 'verified';
    ELSE
        wait_secs := public.verify_email_wait_secs(caller_username, 'resend', interval '1 minute', 5);
        IF wait_secs IS NOT NULL THEN
            outcome := 'too_many';
        ELSE
            INSERT INTO public.verify_emails (username, email, reason)
            VALUES (caller_username, caller.email, 'resend')
            RETURNING verify_emails.id INTO email_id;
            outcome := 'written';
        END IF;
    END IF;
END
$$;

-- Gives a task to a worker, with the code that it is about to mail; every other code of the user dies.
--
-- outcome is 'claimed', and then the rest says whom to write to; 'busy' when another worker has it; or
-- 'done' when there is nothing to do: it was mailed, or the address has been verified or changed, or
-- there is a younger task, whose code is the one to have. The same worker may ask again.
CREATE FUNCTION claim_verify_email(
    task_id    bigint,
    code_hash  bytea,
    lease_secs bigint,
    life_secs  bigint,
    OUT outcome   text,
    OUT email     text,
    OUT full_name text
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    holder record;
    task   record;
BEGIN
    SELECT users.username, users.email, users.full_name, users.is_email_verified INTO holder
    FROM public.users
    WHERE users.username = (
        SELECT verify_emails.username FROM public.verify_emails WHERE verify_emails.id = task_id
    )
    FOR NO KEY UPDATE;
    SELECT verify_emails.email, verify_emails.created_at, verify_emails.done_at,
           verify_emails.claimed_until > clock_timestamp()
               AND verify_emails.secret_hash IS DISTINCT FROM code_hash AS is_busy
    INTO task
    FROM public.verify_emails
    WHERE verify_emails.id = task_id
    FOR NO KEY UPDATE;
    IF NOT FOUND OR task.done_at IS NOT NULL THEN
        outcome := 'done';
    ELSIF holder.is_email_verified
        OR holder.email <> task.email
        OR EXISTS (
            SELECT FROM public.verify_emails AS younger
            WHERE younger.username = holder.username
              AND (younger.created_at, younger.id) > (task.created_at, task_id)
        )
    THEN
        UPDATE public.verify_emails
        SET done_at = clock_timestamp(), secret_hash = NULL
        WHERE verify_emails.id = task_id;
        outcome := 'done';
    ELSIF task.is_busy THEN
        outcome := 'busy';
    ELSE
        -- None of the others is younger: they are over.
        UPDATE public.verify_emails
        SET secret_hash = NULL, done_at = coalesce(verify_emails.done_at, clock_timestamp())
        WHERE verify_emails.username = holder.username AND verify_emails.id <> task_id
          AND (verify_emails.secret_hash IS NOT NULL OR verify_emails.done_at IS NULL);
        UPDATE public.verify_emails
        SET claimed_until = clock_timestamp() + lease_secs * interval '1 second',
            secret_hash = code_hash,
            expires_at = clock_timestamp() + life_secs * interval '1 second',
            tries = 0
        WHERE verify_emails.id = task_id;
        outcome := 'claimed';
        email := holder.email;
        full_name := holder.full_name;
    END IF;
END
$$;

-- Spends a code for its address.
--
-- outcome is 'verified'; 'wrong' when there is no such code, of which a few are tolerated; or 'spent'
-- when there was one: it has been used, or too old a one, or guessed at too often, or a younger one has
-- been mailed, or the user has another address by now.
CREATE FUNCTION spend_verify_email(
    email_id  bigint,
    code_hash bytea,
    max_tries integer,
    OUT outcome text
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    holder record;
    mailed record;
BEGIN
    SELECT users.username, users.email INTO holder
    FROM public.users
    WHERE users.username = (
        SELECT verify_emails.username FROM public.verify_emails WHERE verify_emails.id = email_id
    )
    FOR NO KEY UPDATE;
    SELECT verify_emails.email, verify_emails.secret_hash, verify_emails.expires_at,
           verify_emails.tries
    INTO mailed
    FROM public.verify_emails
    WHERE verify_emails.id = email_id
    FOR NO KEY UPDATE;
    IF NOT FOUND OR mailed.expires_at IS NULL THEN
        outcome := 'wrong';
    ELSIF mailed.secret_hash IS NULL
        OR mailed.expires_at <= clock_timestamp()
        OR mailed.email <> holder.email
    THEN
        outcome := 'spent';
    ELSIF mailed.secret_hash <> code_hash THEN
        UPDATE public.verify_emails
        SET tries = mailed.tries + 1,
            secret_hash = CASE WHEN mailed.tries + 1 < max_tries THEN mailed.secret_hash END
        WHERE verify_emails.id = email_id;
        outcome := 'wrong';
    ELSE
        -- Who knows the code has the mail, whatever the worker has heard of it.
        UPDATE public.verify_emails
        SET used_at = clock_timestamp(),
            secret_hash = NULL,
            done_at = coalesce(verify_emails.done_at, clock_timestamp())
        WHERE verify_emails.id = email_id;
        UPDATE public.users SET is_email_verified = true WHERE users.username = holder.username;
        outcome := 'verified';
    END IF;
END
$$;

DROP FUNCTION change_user;

-- Changes what is given of a user and leaves the rest.
--
-- outcome is 'changed', or 'session_ended', or 'not_found' when there is no such user or the caller
-- may not know of them, or 'permission_denied' when a banker would change more than a name, or
-- 'password_changed' when the password that was right (it was set at proven_changed_at) is no longer
-- theirs, or 'too_many' when the address has been changed often enough today; then wait_secs says for how
-- long. A new address is not verified, and email_id is the task of doing it. A new password ends the
-- user's other sessions: the user's row is locked first, so that no log-in by the old one slips in
-- between.
CREATE FUNCTION change_user(
    caller_session_id uuid,
    caller_username   text,
    target            text,
    new_full_name     text,
    new_email         text,
    new_hash          text,
    proven_changed_at timestamptz,
    OUT outcome             text,
    OUT username            text,
    OUT full_name           text,
    OUT email               text,
    OUT is_email_verified   boolean,
    OUT role                text,
    OUT password_changed_at timestamptz,
    OUT created_at          timestamptz,
    OUT email_id            bigint,
    OUT wait_secs           bigint
)
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
    changes_proof CONSTANT boolean := new_email IS NOT NULL OR new_hash IS NOT NULL;
    is_known    boolean;
    caller_role text;
    before      record;
BEGIN
    -- Only who may know of the user waits for the row; who may is asked again afterwards, of what was
    -- committed meanwhile.
    SELECT users.full_name, users.email, users.password_changed_at INTO before
    FROM public.users
    WHERE users.username = target
      AND (
          target = caller_username
          OR EXISTS (
              SELECT FROM public.live_sessions
              WHERE live_sessions.id = caller_session_id
                AND live_sessions.username = caller_username
                AND live_sessions.role = 'banker'
          )
      )
    FOR NO KEY UPDATE;
    is_known := FOUND;
    SELECT live_sessions.role INTO caller_role
    FROM public.live_sessions
    WHERE live_sessions.id = caller_session_id AND live_sessions.username = caller_username;
    IF NOT FOUND THEN
        outcome := 'session_ended';
        RETURN;
    ELSIF NOT is_known OR (target <> caller_username AND caller_role <> 'banker') THEN
        outcome := 'not_found';
        RETURN;
    ELSIF changes_proof AND target <> caller_username THEN
        outcome := 'permission_denied';
        RETURN;
    ELSIF changes_proof AND before.password_changed_at IS DISTINCT FROM proven_changed_at THEN
        outcome := 'password_changed';
        RETURN;
    END IF;

    -- Each new address gets a mail, whoever it belongs to.
    IF new_email <> before.email THEN
        wait_secs :=
            public.verify_email_wait_secs(target, 'email_changed', interval '0 seconds', 10);
        IF wait_secs IS NOT NULL THEN
            outcome := 'too_many';
            RETURN;
        END IF;
    END IF;

    UPDATE public.users
    SET full_name = coalesce(new_full_name, users.full_name),
        email = coalesce(new_email, users.email),
        is_email_verified = users.is_email_verified AND users.email = coalesce(new_email, users.email),
        hashed_password = coalesce(new_hash, users.hashed_password),
        password_changed_at =
            CASE WHEN new_hash IS NULL THEN users.password_changed_at ELSE clock_timestamp() END
    WHERE users.username = target
    RETURNING users.username, users.full_name, users.email, users.is_email_verified, users.role,
              users.password_changed_at, users.created_at
    INTO username, full_name, email, is_email_verified, role, password_changed_at, created_at;

    IF email <> before.email THEN
        UPDATE public.verify_emails SET secret_hash = NULL
        WHERE verify_emails.username = target AND verify_emails.secret_hash IS NOT NULL;
        INSERT INTO public.verify_emails (username, email, reason)
        VALUES (target, email, 'email_changed')
        RETURNING verify_emails.id INTO email_id;
    END IF;
    IF new_hash IS NOT NULL THEN
        UPDATE public.sessions
        SET revoked_at = now(), end_reason = 'password_changed'
        WHERE sessions.username = target AND sessions.id <> caller_session_id
          AND sessions.revoked_at IS NULL;
    END IF;
    IF target <> caller_username AND full_name <> before.full_name THEN
        INSERT INTO public.audit_events (actor, action, username, before, after)
        VALUES (caller_username, 'full_name_changed', target, before.full_name, full_name);
    END IF;
    outcome := 'changed';
END
$$;

REVOKE EXECUTE ON FUNCTION
    verify_email_wait_secs, request_verify_email, claim_verify_email, spend_verify_email, change_user
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    request_verify_email, claim_verify_email, spend_verify_email, change_user
    TO bank_app;
-- What the outbox needs; hashes of codes come by claim_verify_email alone.
GRANT SELECT, INSERT (username, email, reason), DELETE ON verify_emails TO bank_app;
GRANT UPDATE (due_at, published_at, claimed_until, done_at) ON verify_emails TO bank_app;
