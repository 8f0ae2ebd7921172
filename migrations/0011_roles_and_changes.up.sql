-- Users who change themselves, bankers who mend names, and a record of whoever used power over others.
--
-- The role stands beside the live session, so that a demotion is felt on the next request. A view that
-- joins for it costs nothing where nobody asks for it: a left join by a primary key is then left out.
CREATE OR REPLACE VIEW live_sessions AS
    SELECT sessions.id, sessions.username, users.role
    FROM sessions
    LEFT JOIN users ON users.username = sessions.username
    WHERE sessions.revoked_at IS NULL
      AND sessions.expires_at > now();

CREATE TABLE audit_events (
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- A banker's username, or an operator as they named themselves, else the database's role.
    actor      text        NOT NULL,
    action     text        NOT NULL,
    -- Whom it was done to.
    username   text        NOT NULL,
    before     text,
    after      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_action_check CHECK (action IN ('role_granted', 'full_name_changed'))
);

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    EXECUTE FUNCTION refuse_change();

-- However a role is given, it is written down: `SET bank.operator = 'name'` says by whom.
CREATE FUNCTION audit_role() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO public.audit_events (actor, action, username, before, after)
    VALUES (coalesce(nullif(current_setting('bank.operator', true), ''), session_user),
            'role_granted', NEW.username,
            CASE WHEN TG_OP = 'UPDATE' THEN OLD.role END, NEW.role);
    RETURN NULL;
END
$$;

CREATE TRIGGER users_audit_role AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.role <> NEW.role)
    EXECUTE FUNCTION audit_role();
CREATE TRIGGER users_audit_first_role AFTER INSERT ON users
    FOR EACH ROW WHEN (NEW.role <> 'depositor')
    EXECUTE FUNCTION audit_role();

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

REVOKE EXECUTE ON FUNCTION change_user, audit_role FROM PUBLIC;
GRANT EXECUTE ON FUNCTION change_user TO bank_app;
