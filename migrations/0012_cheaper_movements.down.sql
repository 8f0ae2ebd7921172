-- Back to the functions as they were, to a sequence for the numbers of entries, and to the CHECK.
-- Entries keep their numbers, and the next ones lie beyond all of them.

LOCK TABLE movements, entries IN ACCESS EXCLUSIVE MODE;

ALTER TABLE movements
    ADD CONSTRAINT movements_sides_differ_check CHECK (from_account_id <> to_account_id);
ALTER TABLE entries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval('entries_id_seq', greatest(max(id), 1), max(id) IS NOT NULL) FROM entries;

CREATE OR REPLACE FUNCTION post_movement() RETURNS trigger
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

CREATE OR REPLACE FUNCTION check_entries_of_movement() RETURNS trigger
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

DROP FUNCTION move_money;
DROP TYPE movement_answer;

CREATE FUNCTION move_money(
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

REVOKE EXECUTE ON FUNCTION move_money FROM PUBLIC;
GRANT EXECUTE ON FUNCTION move_money TO bank_app;
