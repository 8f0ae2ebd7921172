-- Back to transfers and keys in tables of their own. Numbers of transfers and entries stay.

DROP TRIGGER accounts_append_only ON accounts;
DROP TRIGGER accounts_keep_identity ON accounts;
DROP TRIGGER accounts_start_empty ON accounts;
DROP TRIGGER accounts_only_post ON accounts;
DROP TRIGGER entries_append_only ON entries;
DROP TRIGGER entries_only_post ON entries;
DROP VIEW transfers;

ALTER TABLE accounts
    RESET (fillfactor),
    DROP COLUMN version,
    ALTER COLUMN currency TYPE text,
    ALTER COLUMN balance TYPE bigint,
    ADD CONSTRAINT accounts_id_currency_key UNIQUE (id, currency),
    ADD CONSTRAINT accounts_currency_check CHECK (currency IN ('USD', 'EUR', 'CAD')),
    ADD CONSTRAINT accounts_balance_check CHECK (balance BETWEEN 0 AND 9007199254740991);

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

INSERT INTO transfers (id, from_account_id, to_account_id, amount, currency, created_at)
OVERRIDING SYSTEM VALUE
SELECT id, from_account_id, to_account_id, amount, currency, created_at
FROM movements
WHERE kind = 'transfer';

SELECT setval('transfers_id_seq', greatest(max(id), 1), max(id) IS NOT NULL) FROM movements;

CREATE TABLE idempotency_keys (
    username     text        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    refusal      text,
    entry_id     bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (username, key),
    CONSTRAINT idempotency_keys_username_fkey FOREIGN KEY (username) REFERENCES users (username),
    CONSTRAINT idempotency_keys_key_check CHECK (key ~ '^[A-Za-z0-9_-]{16,64}$'),
    CONSTRAINT idempotency_keys_request_hash_check CHECK (octet_length(request_hash) = 32),
    CONSTRAINT idempotency_keys_refusal_check CHECK (refusal IN (
        'insufficient_funds', 'recipient_unavailable', 'currency_mismatch', 'same_account',
        'balance_limit'
    )),
    CONSTRAINT idempotency_keys_outcome_check CHECK ((refusal IS NULL) <> (entry_id IS NULL))
);

INSERT INTO idempotency_keys (username, key, request_hash, refusal, entry_id, created_at)
SELECT movements.username, movements.key, movements.request_hash, movements.refusal, own.id,
       movements.created_at
FROM movements
LEFT JOIN entries AS own
    ON own.movement_id = movements.id
    AND own.account_id = coalesce(movements.from_account_id, movements.to_account_id);

ALTER TABLE entries ADD COLUMN transfer_id bigint;
UPDATE entries SET transfer_id = movement_id WHERE kind = 'transfer';

DROP TABLE movements;

ALTER TABLE entries
    DROP COLUMN account_version,
    DROP COLUMN movement_id,
    DROP COLUMN currency,
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id),
    ADD CONSTRAINT entries_account_fkey FOREIGN KEY (account_id) REFERENCES accounts (id),
    ADD CONSTRAINT entries_transfer_fkey FOREIGN KEY (transfer_id) REFERENCES transfers (id),
    ADD CONSTRAINT entries_kind_check CHECK (
        (kind = 'deposit' AND amount > 0 AND transfer_id IS NULL)
        OR (kind = 'withdrawal' AND amount < 0 AND transfer_id IS NULL)
        OR (kind = 'transfer' AND amount <> 0 AND transfer_id IS NOT NULL)
    ),
    ADD CONSTRAINT entries_amount_check
        CHECK (amount BETWEEN -9007199254740991 AND 9007199254740991),
    ADD CONSTRAINT entries_balance_after_check
        CHECK (balance_after BETWEEN 0 AND 9007199254740991);

ALTER TABLE idempotency_keys
    ADD CONSTRAINT idempotency_keys_entry_fkey FOREIGN KEY (entry_id) REFERENCES entries (id);

DROP FUNCTION post_movement;
DROP FUNCTION check_entries_of_movement;
DROP FUNCTION refuse_change_without_movement;
DROP FUNCTION refuse_change;
DROP DOMAIN money_amount, money_balance, currency_code, refusal_code, idempotency_key,
    sha256_digest;

CREATE OR REPLACE FUNCTION move_money(
    caller_session_id uuid,
    caller_username   text,
    idempotency_key   text,
    hash              bytea,
    paying_id         bigint,
    paid_id           bigint,
    minor_units       bigint,
    named_currency    text,
    OUT outcome            text,
    OUT is_replay          boolean,
    OUT account_id         bigint,
    OUT account_currency   text,
    OUT account_created_at timestamptz,
    OUT entry_id           bigint,
    OUT entry_amount       bigint,
    OUT balance_after      bigint,
    OUT transfer_id        bigint,
    OUT entry_created_at   timestamptz
)
LANGUAGE plpgsql
SECURITY INVOKER
AS $$
#variable_conflict use_column
DECLARE
    max_minor_units CONSTANT bigint := 9007199254740991;
    earlier idempotency_keys%ROWTYPE;
    account accounts%ROWTYPE;
    paying  accounts%ROWTYPE;
    paid    accounts%ROWTYPE;
    own     accounts%ROWTYPE;
    refused text;
BEGIN
    is_replay := false;

    PERFORM FROM live_sessions
    WHERE live_sessions.id = caller_session_id AND live_sessions.username = caller_username;
    IF NOT FOUND THEN
        outcome := 'session_ended';
        RETURN;
    END IF;

    -- Held to the end of the transaction, so that whoever gets it sees what came before.
    IF NOT pg_try_advisory_xact_lock(
        hashtextextended(caller_username || ' ' || idempotency_key, 0)
    ) THEN
        outcome := 'request_in_flight';
        RETURN;
    END IF;

    SELECT * INTO earlier FROM idempotency_keys AS keys
    WHERE keys.username = caller_username AND keys.key = idempotency_key;
    IF FOUND AND earlier.request_hash <> hash THEN
        outcome := 'key_reused';
        RETURN;
    ELSIF FOUND THEN
        is_replay := true;
        outcome := coalesce(earlier.refusal, 'done');
        SELECT accounts.id, accounts.currency, accounts.created_at, entries.id, entries.amount,
               entries.balance_after, entries.transfer_id, entries.created_at
        INTO account_id, account_currency, account_created_at, entry_id, entry_amount,
             balance_after, transfer_id, entry_created_at
        FROM entries JOIN accounts ON accounts.id = entries.account_id
        WHERE entries.id = earlier.entry_id;
        RETURN;
    END IF;

    -- Before any lock, so that nobody holds or waits for what is not theirs. Owners never change.
    PERFORM FROM accounts
    WHERE accounts.id = coalesce(paying_id, paid_id) AND accounts.owner = caller_username;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;

    -- In the order of the numbers, whichever way the money goes: two transfers in opposite
    -- directions wait for one another instead of dying in a deadlock. NO KEY, because a foreign key
    -- that points at an account need not wait for money.
    FOR account IN
        SELECT * FROM accounts
        WHERE accounts.id IN (paying_id, paid_id)
        ORDER BY accounts.id
        FOR NO KEY UPDATE
    LOOP
        IF account.id = paying_id THEN paying := account; END IF;
        IF account.id = paid_id THEN paid := account; END IF;
    END LOOP;

    IF paying_id IS NULL THEN own := paid; ELSE own := paying; END IF;

    refused := CASE
        WHEN own.currency <> named_currency THEN 'currency_mismatch'
        WHEN paying_id = paid_id THEN 'same_account'
        WHEN paid_id IS NOT NULL AND paid.currency IS DISTINCT FROM own.currency
            THEN 'recipient_unavailable'
        WHEN paying.balance < minor_units THEN 'insufficient_funds'
        WHEN paid.balance > max_minor_units - minor_units THEN 'balance_limit'
    END;
    IF refused IS NOT NULL THEN
        INSERT INTO idempotency_keys (username, key, request_hash, refusal)
        VALUES (caller_username, idempotency_key, hash, refused);
        outcome := refused;
        RETURN;
    END IF;

    IF paying_id IS NOT NULL AND paid_id IS NOT NULL THEN
        INSERT INTO transfers (from_account_id, to_account_id, amount, currency)
        VALUES (paying_id, paid_id, minor_units, own.currency)
        RETURNING transfers.id INTO transfer_id;
    END IF;

    WITH sides (account_id, amount, balance) AS (
        VALUES (paying_id, -minor_units, paying.balance - minor_units),
               (paid_id, minor_units, paid.balance + minor_units)
    ),
    changed AS (
        UPDATE accounts SET balance = sides.balance FROM sides WHERE accounts.id = sides.account_id
    ),
    written AS (
        INSERT INTO entries (account_id, kind, amount, balance_after, transfer_id)
        SELECT sides.account_id,
               CASE
                   WHEN transfer_id IS NOT NULL THEN 'transfer'
                   WHEN sides.amount > 0 THEN 'deposit'
                   ELSE 'withdrawal'
               END,
               sides.amount, sides.balance, transfer_id
        FROM sides
        WHERE sides.account_id IS NOT NULL
        RETURNING *
    )
    SELECT written.id, written.amount, written.balance_after, written.created_at
    INTO entry_id, entry_amount, balance_after, entry_created_at
    FROM written
    WHERE written.account_id = own.id;

    INSERT INTO idempotency_keys (username, key, request_hash, entry_id)
    VALUES (caller_username, idempotency_key, hash, entry_id);

    outcome := 'done';
    account_id := own.id;
    account_currency := own.currency;
    account_created_at := own.created_at;
END
$$;

GRANT EXECUTE ON FUNCTION move_money TO PUBLIC;
