-- What the same transfer costs with nothing but the transfer: no key, no session, no version, no rule
-- beyond plain foreign keys and checks.
--
-- The tables are its own rather than the course's, whose five indexes on transfers would make it pay
-- for what nobody reads. Here are those that this bank's own reads need: an account by number or
-- owner, a transfer by number, an account's history in order (which leads to its transfers). Like this
-- bank's, an entry knows its transfer and the balance that it left, and the accounts' pages have room
-- for the next balance. What is left between the two is what this bank adds.
CREATE TABLE users (
    username        text        PRIMARY KEY,
    hashed_password text        NOT NULL,
    full_name       text        NOT NULL,
    email           text        UNIQUE NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE accounts (
    id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner      text        NOT NULL REFERENCES users,
    currency   text        NOT NULL,
    balance    bigint      NOT NULL CHECK (balance >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner, currency)
) WITH (fillfactor = 70);
CREATE TABLE transfers (
    id              bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    from_account_id bigint      NOT NULL REFERENCES accounts,
    to_account_id   bigint      NOT NULL REFERENCES accounts,
    amount          bigint      NOT NULL CHECK (amount > 0),
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE entries (
    id            bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id    bigint      NOT NULL REFERENCES accounts,
    transfer_id   bigint      NOT NULL REFERENCES transfers,
    amount        bigint      NOT NULL,
    balance_after bigint      NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON entries (account_id, id);

-- Nulls say that the money is not there.
CREATE FUNCTION bare(
    from_id     bigint,
    to_id       bigint,
    minor_units bigint,
    OUT transfer_id   bigint,
    OUT balance_after bigint
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
    from_balance bigint;
    to_balance   bigint;
    moved_id     bigint;
BEGIN
    IF from_id < to_id THEN
        SELECT balance INTO from_balance FROM accounts WHERE id = from_id FOR NO KEY UPDATE;
    END IF;
    SELECT balance INTO to_balance FROM accounts WHERE id = to_id FOR NO KEY UPDATE;
    IF from_id > to_id THEN
        SELECT balance INTO from_balance FROM accounts WHERE id = from_id FOR NO KEY UPDATE;
    END IF;
    IF from_balance < minor_units THEN
        RETURN;
    END IF;

    INSERT INTO transfers (from_account_id, to_account_id, amount)
    VALUES (from_id, to_id, minor_units)
    RETURNING id INTO moved_id;
    INSERT INTO entries (account_id, transfer_id, amount, balance_after)
    VALUES (from_id, moved_id, -minor_units, from_balance - minor_units),
           (to_id, moved_id, minor_units, to_balance + minor_units);
    UPDATE accounts SET balance = balance - minor_units WHERE id = from_id;
    UPDATE accounts SET balance = balance + minor_units WHERE id = to_id;

    transfer_id := moved_id;
    balance_after := from_balance - minor_units;
END
$$;
