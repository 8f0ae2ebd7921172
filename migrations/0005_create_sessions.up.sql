CREATE TABLE sessions (
    id                 uuid        NOT NULL,
    username           text        NOT NULL,
    -- SHA-256 of the token, which is 32 random bytes: a copy of this table opens no session.
    refresh_token_hash bytea       NOT NULL,
    user_agent         text        NOT NULL,
    client_ip          text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    expires_at         timestamptz NOT NULL,
    revoked_at         timestamptz,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_username_fkey FOREIGN KEY (username) REFERENCES users (username),
    CONSTRAINT sessions_refresh_token_hash_key UNIQUE (refresh_token_hash),
    CONSTRAINT sessions_refresh_token_hash_check CHECK (octet_length(refresh_token_hash) = 32),
    CONSTRAINT sessions_expires_at_check CHECK (expires_at > created_at)
);

CREATE INDEX sessions_username_idx ON sessions (username);

-- The one definition of a session that may act. Every statement made for a caller starts from it,
-- so that a session which has ended ends on the next request, by the database's clock.
CREATE VIEW live_sessions AS
    SELECT sessions.id, sessions.username
    FROM sessions
    WHERE sessions.revoked_at IS NULL
      AND sessions.expires_at > now();
