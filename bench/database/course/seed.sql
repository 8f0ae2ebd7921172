INSERT INTO users (username, hashed_password, full_name, email)
SELECT 'user_' || n, 'no hash', 'User ' || n, 'user_' || n || '@example.com'
FROM generate_series(1, :accounts) AS n;

INSERT INTO accounts (owner, balance, currency)
SELECT 'user_' || n, :balance, 'USD' FROM generate_series(1, :accounts) AS n ORDER BY n;
