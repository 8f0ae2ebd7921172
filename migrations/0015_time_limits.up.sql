-- How long the application waits and works, as settings of its role. A client that sends them when it
-- connects is turned away by RDS Proxy, and one that sends them afterwards is tied to one connection
-- behind it. Each is reached before the function's own limit of 8 s, the shorter one first.
DO $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY[
        'lock_timeout = ''1s''',
        'statement_timeout = ''3s''',
        'idle_in_transaction_session_timeout = ''5s'''
    ]
    LOOP
        EXECUTE format('ALTER ROLE bank_app IN DATABASE %I SET %s', current_database(), setting);
    END LOOP;
END
$$;
