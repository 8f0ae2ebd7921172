CREATE TABLE transfers (
    id              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    from_account_id bigint      NOT NULL,
    to_account_id   bigint      NOT NULL,
    amount          bigint      NOT NULL,
    currency        text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transfers_pkey PRIMARY KEY (id),
    CONSTRAINT transfers_from_account_fkey
        FOREIGN KEY (from_account_id, currency) REFERENCES accounts (id, currency),
    CONSTRAINT transfers_to_account_fkey
        FOREIGN KEY (to_account_id, currency) REFERENCES accounts (id, currency),
    CONSTRAINT transfers_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
    CONSTRAINT transfers_accounts_differ_check CHECK (from_account_id <> to_account_id)
);
