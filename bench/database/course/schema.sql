-- The tables, keys and indexes that the simplebank course ends up with, as far as a transfer meets
-- them.
CREATE TABLE users (
    username            varchar     PRIMARY KEY,
    hashed_password     varchar     NOT NULL,
    full_name           varchar     NOT NULL,
    email               varchar     UNIQUE NOT NULL,
    password_changed_at timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00Z',
    created_at          timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE accounts (
    id         bigserial   PRIMARY KEY,
    owner      varchar     NOT NULL REFERENCES users,
    balance    bigint      NOT NULL,
    currency   varchar     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner, currency)
);
CREATE TABLE entries (
    id         bigserial   PRIMARY KEY,
    account_id bigint      NOT NULL REFERENCES accounts,
    amount     bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE transfers (
    id              bigserial   PRIMARY KEY,
    from_account_id bigint      NOT NULL REFERENCES accounts,
    to_account_id   bigint      NOT NULL REFERENCES accounts,
    amount          bigint      NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON accounts (owner);
CREATE INDEX ON entries (account_id);
CREATE INDEX ON transfers (from_account_id);
CREATE INDEX ON transfers (to_account_id);
CREATE INDEX ON transfers (from_account_id, to_account_id);
