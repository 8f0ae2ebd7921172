-- One row for each request to move money, and a ledger that refuses bad money by itself, whoever
-- writes to it.
--
-- A movement is what one idempotency key stands for: a refusal, or money from one side to another,
-- where a side that is null is the world outside the bank. It takes the place of `transfers`, which
-- becomes a view, and of `idempotency_keys`: one row, one insert, and no reference between the two
-- that could be wrong.
--
-- The rules, and who keeps them:
--   a key has one effect for ever               movements_key_key
--   a movement moves each of its sides, once     post_movement, entries_movement_key
--   a movement's entries are those of its sides  movements_entries_check
--   an account's entries are numbered gap-free   post_movement, entries_pkey
--   only a movement changes a balance or         accounts_only_post, entries_only_post,
--   writes an entry                              accounts_start_empty
--   nothing is ever changed or taken away        *_append_only, accounts_keep_identity
-- movements_entries_check waits for the end of the transaction and then reads what post_movement
-- wrote: a transfer has two entries, in the currency of its accounts, that sum to zero and match it,
-- or it is not committed. In the place of two deferred foreign keys it sees the amounts as well, for
-- two thirds of their time.

-- Nothing may be moved between the copies below: it would be in one of them and not in the other.
LOCK TABLE accounts, transfers, entries, idempotency_keys IN ACCESS EXCLUSIVE MODE;

-- Domains rather than CHECKs of tables: Postgres reads the text of a table's CHECK anew for each
-- statement, and a domain's once for each connection.
CREATE DOMAIN money_amount AS bigint
    CONSTRAINT money_amount_check CHECK (VALUE BETWEEN 1 AND 9007199254740991);
CREATE DOMAIN money_balance AS bigint
    CONSTRAINT money_balance_check CHECK (VALUE BETWEEN 0 AND 9007199254740991);
CREATE DOMAIN currency_code AS text
    CONSTRAINT currency_code_check CHECK (VALUE IN ('USD', 'EUR', 'CAD'));
CREATE DOMAIN refusal_code AS text
    CONSTRAINT refusal_code_check CHECK (VALUE IN (
        'insufficient_funds', 'recipient_unavailable', 'currency_mismatch', 'same_account',
        'balance_limit'
    ));
-- A class alone: with its counted form the match takes ten times as long.
CREATE DOMAIN idempotency_key AS text
    CONSTRAINT idempotency_key_check
    CHECK (octet_length(VALUE) BETWEEN 16 AND 64 AND VALUE !~ '[^A-Za-z0-9_-]');
CREATE DOMAIN sha256_digest AS bytea
    CONSTRAINT sha256_digest_check CHECK (octet_length(VALUE) = 32);

CREATE TABLE movements (
    id              bigint          NOT NULL GENERATED ALWAYS AS IDENTITY,
    username        text            NOT NULL,
    key             idempotency_key NOT NULL,
    -- SHA-256 of the request in a canonical form that names the operation.
    request_hash    sha256_digest   NOT NULL,
    -- Why nothing was done; then everything below but the time is null. If it is null itself,
    -- post_movement has checked the rest, and what is copied from here into entries as well.
    refusal         refusal_code,
    kind            text,
    from_account_id bigint,
    to_account_id   bigint,
    amount          money_amount,
    currency        text,
    created_at      timestamptz     NOT NULL DEFAULT now(),
    CONSTRAINT movements_pkey PRIMARY KEY (id),
    CONSTRAINT movements_key_key UNIQUE (username, key),
    CONSTRAINT movements_sides_differ_check CHECK (from_account_id <> to_account_id)
);

-- A transfer keeps its number. Whatever was moved without a key gets one that no client can know.
INSERT INTO movements (id, username, key, request_hash, kind, from_account_id, to_account_id,
                       amount, currency, created_at)
OVERRIDING SYSTEM VALUE
SELECT transfers.id, payer.owner,
       coalesce(keys.key, 'migrated-' || gen_random_uuid()),
       coalesce(keys.request_hash, sha256('')),
       'transfer', transfers.from_account_id, transfers.to_account_id, transfers.amount,
       transfers.currency, transfers.created_at
FROM transfers
JOIN accounts AS payer ON payer.id = transfers.from_account_id
JOIN entries AS own ON own.transfer_id = transfers.id AND own.account_id = payer.id
LEFT JOIN idempotency_keys AS keys ON keys.entry_id = own.id;

SELECT setval('movements_id_seq', greatest(max(id), 1), max(id) IS NOT NULL) FROM transfers;

CREATE TEMPORARY TABLE outside_movements ON COMMIT DROP AS
SELECT entries.id AS entry_id, nextval('movements_id_seq') AS movement_id
FROM entries
WHERE entries.transfer_id IS NULL;

INSERT INTO movements (id, username, key, request_hash, kind, from_account_id, to_account_id,
                       amount, currency, created_at)
OVERRIDING SYSTEM VALUE
SELECT outside_movements.movement_id, accounts.owner,
       coalesce(keys.key, 'migrated-' || gen_random_uuid()),
       coalesce(keys.request_hash, sha256('')),
       entries.kind,
       CASE WHEN entries.amount < 0 THEN accounts.id END,
       CASE WHEN entries.amount > 0 THEN accounts.id END,
       abs(entries.amount), accounts.currency, entries.created_at
FROM outside_movements
JOIN entries ON entries.id = outside_movements.entry_id
JOIN accounts ON accounts.id = entries.account_id
LEFT JOIN idempotency_keys AS keys ON keys.entry_id = entries.id;

INSERT INTO movements (username, key, request_hash, refusal, created_at)
SELECT username, key, request_hash, refusal, created_at
FROM idempotency_keys
WHERE refusal IS NOT NULL;

DROP TABLE idempotency_keys;

ALTER TABLE entries
    ADD COLUMN account_version bigint,
    ADD COLUMN movement_id bigint,
    ADD COLUMN currency text;

UPDATE entries
SET account_version = numbered.account_version,
    movement_id = coalesce(entries.transfer_id, outside_movements.movement_id),
    currency = accounts.currency
FROM (
    SELECT id, row_number() OVER (PARTITION BY account_id ORDER BY id) AS account_version
    FROM entries
) AS numbered
LEFT JOIN outside_movements ON outside_movements.entry_id = numbered.id,
accounts
WHERE numbered.id = entries.id AND accounts.id = entries.account_id;

-- `account_version` counts an account's entries from 1. It is what the history is ordered by, so
-- the primary key serves both; `id` is a name for clients, drawn from the sequence and never looked
-- up. entries_movement_key serves the check of a movement and the list of an account's transfers.
ALTER TABLE entries
    DROP COLUMN transfer_id,
    DROP CONSTRAINT entries_pkey,
    DROP CONSTRAINT entries_account_fkey,
    DROP CONSTRAINT entries_amount_check,
    DROP CONSTRAINT entries_balance_after_check,
    ALTER COLUMN account_version SET NOT NULL,
    ALTER COLUMN movement_id SET NOT NULL,
    ALTER COLUMN currency SET NOT NULL,
    ADD CONSTRAINT entries_pkey PRIMARY KEY (account_id, account_version),
    ADD CONSTRAINT entries_movement_key UNIQUE (account_id, kind, movement_id);

DROP TABLE transfers;

CREATE VIEW transfers AS
    SELECT id, from_account_id, to_account_id, amount, currency, created_at
    FROM movements
    WHERE kind = 'transfer';

-- Room in each page for the next balance of its accounts, so that no index has to follow.
ALTER TABLE accounts
    SET (fillfactor = 70),
    ADD COLUMN version bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT accounts_id_currency_key,
    DROP CONSTRAINT accounts_currency_check,
    DROP CONSTRAINT accounts_balance_check,
    ALTER COLUMN currency TYPE currency_code,
    ALTER COLUMN balance TYPE money_balance;

UPDATE accounts
SET version = counted.entries
FROM (SELECT account_id, count(*) AS entries FROM entries GROUP BY account_id) AS counted
WHERE counted.account_id = accounts.id;

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'restrict_violation',
        MESSAGE = format('%s of %s is refused: the books are only added to', TG_OP, TG_TABLE_NAME),
        CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_append_only BEFORE DELETE OR TRUNCATE ON accounts
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_keep_identity
    BEFORE UPDATE OF id, owner, currency, created_at ON accounts
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_start_empty BEFORE INSERT ON accounts
    FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.version <> 0)
    EXECUTE FUNCTION refuse_change();

-- A statement of its own stands at depth 1 here, post_movement's at depth 2.
CREATE FUNCTION refuse_change_without_movement() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'restrict_violation',
            MESSAGE = 'only a movement changes balances and writes entries',
            CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_only_post BEFORE UPDATE OF balance, version ON accounts
    EXECUTE FUNCTION refuse_change_without_movement();
CREATE TRIGGER entries_only_post BEFORE INSERT ON entries
    EXECUTE FUNCTION refuse_change_without_movement();

-- A movement posts itself: it moves the account of each side by its amount, and writes down what
-- came of it. A balance that would leave its bounds is refused by money_balance_check. Whoever adds
-- movements has locked the accounts, in the order of their numbers.
CREATE FUNCTION post_movement() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    sides  CONSTANT int := num_nonnulls(NEW.from_account_id, NEW.to_account_id);
    posted int;
BEGIN
    IF NEW.refusal IS NULL THEN
        WITH moved AS (
            UPDATE public.accounts
            SET balance = accounts.balance + CASE accounts.id
                    WHEN NEW.from_account_id THEN -NEW.amount
                    ELSE NEW.amount
                END,
                version = accounts.version + 1
            WHERE accounts.id IN (NEW.from_account_id, NEW.to_account_id)
              AND accounts.currency = NEW.currency
            RETURNING accounts.id, accounts.version, accounts.balance
        )
        INSERT INTO public.entries
            (account_id, account_version, movement_id, kind, currency, amount, balance_after,
             created_at)
        SELECT moved.id, moved.version, NEW.id, NEW.kind, NEW.currency,
               CASE moved.id WHEN NEW.from_account_id THEN -NEW.amount ELSE NEW.amount END,
               moved.balance, NEW.created_at
        FROM moved;
        GET DIAGNOSTICS posted = ROW_COUNT;
    END IF;
    IF (CASE
            WHEN NEW.refusal IS NULL THEN sides = 0 OR sides <> posted
                OR NEW.kind IS DISTINCT FROM CASE
                    WHEN NEW.from_account_id IS NULL THEN 'deposit'
                    WHEN NEW.to_account_id IS NULL THEN 'withdrawal'
                    ELSE 'transfer'
                END
            ELSE num_nonnulls(NEW.kind, NEW.amount, NEW.currency) + sides > 0
        END)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = 'a movement is either refused, or moves accounts of its currency by its kind',
            CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER movements_post AFTER INSERT ON movements
    FOR EACH ROW EXECUTE FUNCTION post_movement();

CREATE FUNCTION check_entries_of_movement() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.refusal IS NULL AND num_nonnulls(NEW.from_account_id, NEW.to_account_id) <> (
        SELECT count(*)
        FROM public.entries
        WHERE entries.account_id IN (NEW.from_account_id, NEW.to_account_id)
          AND entries.kind = NEW.kind
          AND entries.movement_id = NEW.id
          AND entries.currency = NEW.currency
          AND entries.amount = CASE entries.account_id
              WHEN NEW.from_account_id THEN -NEW.amount
              ELSE NEW.amount
          END
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = 'the entries of a movement are not those of its sides',
            CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER movements_entries_check AFTER INSERT ON movements
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_entries_of_movement();

-- Moves money, once for each key. All of it is one statement to the client: the locks are held for
-- one round trip.
--
-- outcome is 'done', a refusal_code, or one of
--   'session_ended'       the caller's session does not live,
--   'request_in_flight'   another transaction is at work under this key,
--   'key_reused'          the key stands for another request,
--   'not_found'           the caller's own side is not an account of the caller's,
-- of which nothing is kept. The other columns describe the caller's own entry when it is 'done'.
--
-- It runs with its owner's rights, which the application has not; so each name says its schema.
-- (A search_path set on the function would do as well, at 5 % of its time.)
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
SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
    max_minor_units CONSTANT bigint := 9007199254740991;
    -- The caller's own side, and the other one of a transfer.
    own_id   CONSTANT bigint := coalesce(paying_id, paid_id);
    other_id CONSTANT bigint := CASE WHEN paying_id IS NOT NULL THEN paid_id END;
    kind     CONSTANT text := CASE
        WHEN paying_id IS NULL THEN 'deposit'
        WHEN paid_id IS NULL THEN 'withdrawal'
        ELSE 'transfer'
    END;
    earlier        record;
    own            record;
    other_balance  bigint;
    other_currency text;
    refused        text;
    moved_id       bigint;
BEGIN
    is_replay := false;

    -- Held to the end of the transaction, so that whoever gets it sees what came before.
    IF NOT pg_try_advisory_xact_lock(
        hashtextextended(caller_username || ' ' || idempotency_key, 0)
    ) THEN
        outcome := 'request_in_flight';
        RETURN;
    END IF;

    SELECT movements.id, movements.request_hash, movements.refusal
    INTO earlier
    FROM public.live_sessions
    LEFT JOIN public.movements
        ON movements.username = live_sessions.username AND movements.key = idempotency_key
    WHERE live_sessions.id = caller_session_id AND live_sessions.username = caller_username;
    IF NOT FOUND THEN
        outcome := 'session_ended';
        RETURN;
    ELSIF earlier.request_hash <> hash THEN
        outcome := 'key_reused';
        RETURN;
    ELSIF earlier.id IS NOT NULL THEN
        is_replay := true;
        outcome := coalesce(earlier.refusal, 'done');
        SELECT accounts.id, accounts.currency, accounts.created_at, entries.id, entries.amount,
               entries.balance_after, entries.created_at,
               CASE WHEN movements.kind = 'transfer' THEN movements.id END
        INTO account_id, account_currency, account_created_at, entry_id, entry_amount,
             balance_after, entry_created_at, transfer_id
        FROM public.movements
        JOIN public.entries
            ON entries.account_id = coalesce(movements.from_account_id, movements.to_account_id)
            AND entries.kind = movements.kind
            AND entries.movement_id = movements.id
        JOIN public.accounts ON accounts.id = entries.account_id
        WHERE movements.id = earlier.id;
        RETURN;
    END IF;

    -- In the order of the numbers, whichever way the money goes: two transfers in opposite
    -- directions wait for one another instead of dying in a deadlock. The own side has to be the
    -- caller's, or nothing is locked or waited for. NO KEY, as the balance's change will take it.
    IF other_id < own_id THEN
        SELECT balance, currency INTO other_balance, other_currency
        FROM public.accounts
        WHERE accounts.id = other_id
          AND EXISTS (
              SELECT FROM public.accounts AS mine
              WHERE mine.id = own_id AND mine.owner = caller_username
          )
        FOR NO KEY UPDATE;
    END IF;
    SELECT balance, version, currency, created_at INTO own
    FROM public.accounts
    WHERE accounts.id = own_id AND accounts.owner = caller_username
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;
    IF other_id > own_id THEN
        SELECT balance, currency INTO other_balance, other_currency
        FROM public.accounts WHERE accounts.id = other_id FOR NO KEY UPDATE;
    END IF;

    refused := CASE
        WHEN own.currency <> named_currency THEN 'currency_mismatch'
        WHEN own_id = other_id THEN 'same_account'
        WHEN other_id IS NOT NULL AND other_currency IS DISTINCT FROM own.currency
            THEN 'recipient_unavailable'
        WHEN paying_id IS NOT NULL AND own.balance < minor_units THEN 'insufficient_funds'
        WHEN CASE WHEN paying_id IS NULL THEN own.balance ELSE other_balance END
            > max_minor_units - minor_units
            THEN 'balance_limit'
    END;
    IF refused IS NOT NULL THEN
        INSERT INTO public.movements (username, key, request_hash, refusal)
        VALUES (caller_username, idempotency_key, hash, refused);
        outcome := refused;
        RETURN;
    END IF;

    INSERT INTO public.movements
        (username, key, request_hash, kind, from_account_id, to_account_id, amount, currency)
    VALUES (caller_username, idempotency_key, hash, kind, paying_id, paid_id, minor_units,
            own.currency)
    RETURNING movements.id INTO moved_id;

    -- Now it has posted itself, and one of its entries is the caller's.
    SELECT entries.id, entries.amount, entries.balance_after, entries.created_at
    INTO entry_id, entry_amount, balance_after, entry_created_at
    FROM public.entries
    WHERE entries.account_id = own_id AND entries.account_version = own.version + 1;

    outcome := 'done';
    account_id := own_id;
    account_currency := own.currency;
    account_created_at := own.created_at;
    transfer_id := CASE WHEN kind = 'transfer' THEN moved_id END;
END
$$;

-- It has its owner's rights now: only whom a later migration names may use them.
REVOKE EXECUTE ON FUNCTION move_money FROM PUBLIC;
