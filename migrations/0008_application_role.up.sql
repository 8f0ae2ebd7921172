-- The role that the functions connect as. It owns nothing: it reads, it adds what a sign-up, a log-in
-- and an opened account add, and money it moves by move_money alone. The migrate function connects
-- as the owner.
--
-- A role belongs to the whole server, so another database's migration may have made it, or be
-- making it right now. It can log in but has no password until an operator gives it one.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_app') THEN
        CREATE ROLE bank_app LOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Nothing of its own, not even for a session: a temporary table could hide one of the bank's.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION
    post_movement, check_entries_of_movement, refuse_change, refuse_change_without_movement
    FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO bank_app;
GRANT SELECT ON users, sessions, live_sessions, accounts, movements, transfers, entries TO bank_app;
GRANT INSERT (username, hashed_password, full_name, email) ON users TO bank_app;
GRANT INSERT (id, username, refresh_token_hash, user_agent, client_ip, expires_at) ON sessions
    TO bank_app;
GRANT INSERT (owner, currency) ON accounts TO bank_app;
GRANT EXECUTE ON FUNCTION move_money TO bank_app;

-- A REVOKE by somebody who may not only warns.
DO $$
BEGIN
    IF has_database_privilege('bank_app', current_database(), 'TEMPORARY, CREATE')
        OR has_schema_privilege('bank_app', 'public', 'CREATE')
    THEN
        RAISE EXCEPTION 'bank_app can make things of its own: migrate as the database''s owner';
    END IF;
END
$$;
