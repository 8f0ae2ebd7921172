-- Addresses that are verified stay so. Mails that have not been sent are forgotten.
DROP FUNCTION change_user;

-- Changes what is given of a user and leaves the rest.
--
-- outcome is 'changed', or 'session_ended', or 'not_found' when there is no such user or the caller
-- may not know of them, or 'permission_denied' when a banker would change more than a name, or
-- 'password_changed' when the password that was right (it was set at proven_changed_at) is no longer
-- theirs. A new address is not verified. A new password ends the user's other sessions: the user's row
-- is locked first, so that no log-in by the old one slips in between.
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
    OUT created_at          timestamptz
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
    SELECT users.full_name, users.password_changed_at INTO before
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

REVOKE EXECUTE ON FUNCTION change_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION change_user TO bank_app;

DROP FUNCTION spend_verify_email, claim_verify_email, request_verify_email, verify_email_wait_secs;
DROP TABLE verify_emails;
