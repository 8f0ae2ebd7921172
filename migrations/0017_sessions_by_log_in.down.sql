-- As migration 0008 had it.
GRANT INSERT (id, username, refresh_token_hash, user_agent, client_ip, expires_at) ON sessions TO bank_app;
