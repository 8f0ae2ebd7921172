-- Sessions begin by begin_session alone. Until migration 0010 the functions wrote them by themselves, and the
-- functions of the release before it went on doing so while it was deployed.
REVOKE INSERT (id, username, refresh_token_hash, user_agent, client_ip, expires_at) ON sessions FROM bank_app;
