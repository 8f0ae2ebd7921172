CREATE TABLE entries (
    id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    account_id    bigint      NOT NULL,
    kind          text        NOT NULL,
    -- Signed minor units: what left the account is negative.
    amount        bigint      NOT NULL,
    balance_after bigint      NOT NULL,
    transfer_id   bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT entries_pkey PRIMARY KEY (id),
    CONSTRAINT entries_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT entries_transfer_fkey FOREIGN KEY (transfer_id) REFERENCES transfers (id),
    CONSTRAINT entries_kind_check CHECK (
        (kind = 'deposit' AND amount > 0 AND transfer_id IS NULL)
        OR (kind = 'withdrawal' AND amount < 0 AND transfer_id IS NULL)
        OR (kind = 'transfer' AND amount <> 0 AND transfer_id IS NOT NULL)
    ),
    CONSTRAINT entries_amount_check
        CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
    CONSTRAINT entries_balance_after_check
        CHECK (balance_after BETWEEN 0 AND 9007199254740991)
);
