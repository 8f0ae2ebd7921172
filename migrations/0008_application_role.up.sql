-- The role that the functions connect as. It owns nothing: it reads, it adds what a sign-up, a log-in
-- and an opened account add, and money it moves by move_money alone. The migrate function connects
-- as the owner.
--
-- A role belongs to the whole server, so another database's migration may have made it, or be
-- making it right now. It can log in but has no password until an operator gives it one.
DO $$
BEGIN
    CREATE ROLE bank_app LOGIN;
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
    move_money, post_movement, check_entries_of_movement, refuse_change,
    refuse_change_without_movement
    FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO bank_app;
GRANT SELECT ON users, sessions, live_sessions, accounts, movements, transfers, entries TO bank_app;
GRANT INSERT (username, hashed_password, full_name, email) ON users TO bank_app;
GRANT INSERT (id, username, refresh_token_hash, user_agent, client_ip, expires_at) ON sessions
    TO bank_app;
GRANT INSERT (owner, currency) ON accounts TO bank_app;
GRANT EXECUTE ON FUNCTION move_money TO bank_app;
