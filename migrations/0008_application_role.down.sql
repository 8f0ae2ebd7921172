-- Takes the rights back. The role stays: other databases of the server may know it.
REVOKE EXECUTE ON FUNCTION move_money FROM bank_app;
REVOKE ALL ON users, sessions, live_sessions, accounts, movements, transfers, entries FROM bank_app;
REVOKE USAGE ON SCHEMA public FROM bank_app;

GRANT EXECUTE ON FUNCTION
    post_movement, check_entries_of_movement, refuse_change, refuse_change_without_movement
    TO PUBLIC;

DO $$
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
END
$$;
