-- Customers, each with a live session and an account, and one deposit each: through the bank's own
-- rules, all of which stay on.
INSERT INTO users (username, hashed_password, full_name, email, is_email_verified)
SELECT 'user_' || n, 'no hash', 'User ' || n, 'user_' || n || '@example.com', true
FROM generate_series(1, :accounts) AS n;

INSERT INTO sessions (id, username, refresh_token_hash, user_agent, client_ip, expires_at)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user_' || n,
       sha256(n::text::bytea), 'bench', '127.0.0.1', now() + interval '1 day'
FROM generate_series(1, :accounts) AS n;

INSERT INTO accounts (owner, currency)
SELECT 'user_' || n, 'USD' FROM generate_series(1, :accounts) AS n ORDER BY n;

INSERT INTO movements (username, key, request_hash, kind, to_account_id, amount, currency)
SELECT owner, 'seed-' || lpad(id::text, 16, '0'), sha256(''), 'deposit', id, :balance, currency
FROM accounts ORDER BY id;
