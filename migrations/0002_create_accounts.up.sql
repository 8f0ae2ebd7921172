CREATE TABLE accounts (
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    owner      text        NOT NULL,
    currency   text        NOT NULL,
    -- Minor units. The upper bound is the largest integer that every JSON reader keeps exact.
    balance    bigint      NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_owner_fkey FOREIGN KEY (owner) REFERENCES users (username),
    CONSTRAINT accounts_owner_currency_key UNIQUE (owner, currency),
    -- What a transfer's foreign keys point at, so that no currency can differ from its accounts'.
    CONSTRAINT accounts_id_currency_key UNIQUE (id, currency),
    CONSTRAINT accounts_currency_check CHECK (currency IN ('USD', 'EUR', 'CAD')),
    CONSTRAINT accounts_balance_check CHECK (balance BETWEEN 0 AND 9007199254740991)
);
