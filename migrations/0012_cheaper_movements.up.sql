-- The same rules and the same answers for a seventh less of the database's work.
--
-- What a transfer costs Postgres is mostly the setting up of statements and expressions, each of
-- which is used once in a transaction: so there are fewer of them, and they are smaller.

LOCK TABLE movements, entries IN ACCESS EXCLUSIVE MODE;

-- post_movement moves as many accounts as there are sides, and two sides that are one account are
-- one account. A table's CHECK is read anew for each statement.
ALTER TABLE movements DROP CONSTRAINT movements_sides_differ_check;

-- An entry is numbered by its movement: twice its number for the paying side, one more for the paid
-- one. So no two entries have the same number, and the answer tells it without a look at the entry.
-- The next movements' entries lie beyond all those numbered so far.
SELECT setval('movements_id_seq', greatest(movements.last_value, entries.last_value / 2 + 1))
FROM movements_id_seq AS movements, entries_id_seq AS entries
WHERE entries.is_called;
ALTER TABLE entries ALTER COLUMN id DROP IDENTITY;

CREATE OR REPLACE FUNCTION post_movement() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
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
            RETURNING accounts.id, accounts.version, accounts.balance,
                      accounts.id = NEW.from_account_id AS pays
        )
        INSERT INTO public.entries
            (id, account_id, account_version, movement_id, kind, currency, amount, balance_after,
             created_at)
        SELECT NEW.id * 2 + CASE WHEN moved.pays THEN 0 ELSE 1 END,
               moved.id, moved.version, NEW.id, NEW.kind, NEW.currency,
               CASE WHEN moved.pays THEN -NEW.amount ELSE NEW.amount END,
               moved.balance, NEW.created_at
        FROM moved;
        GET DIAGNOSTICS posted = ROW_COUNT;
        IF posted > 0 AND posted = num_nonnulls(NEW.from_account_id, NEW.to_account_id)
            AND NEW.kind IS NOT DISTINCT FROM (CASE
                WHEN NEW.from_account_id IS NULL THEN 'deposit'
                WHEN NEW.to_account_id IS NULL THEN 'withdrawal'
                ELSE 'transfer'
            END)
        THEN
            RETURN NULL;
        END IF;
    ELSIF num_nonnulls(
        NEW.kind, NEW.from_account_id, NEW.to_account_id, NEW.amount, NEW.currency
    ) = 0 THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = 'a movement is either refused, or moves accounts of its currency by its kind',
        CONSTRAINT = TG_NAME;
END
$$;

-- A refused movement has no sides, and so no entries.
CREATE OR REPLACE FUNCTION check_entries_of_movement() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    found_entries int;
BEGIN
    PERFORM FROM public.entries
    WHERE entries.account_id IN (NEW.from_account_id, NEW.to_account_id)
      AND entries.kind = NEW.kind
      AND entries.movement_id = NEW.id
      AND entries.currency = NEW.currency
      AND entries.amount = CASE entries.account_id
          WHEN NEW.from_account_id THEN -NEW.amount
          ELSE NEW.amount
      END;
    GET DIAGNOSTICS found_entries = ROW_COUNT;
    IF found_entries <> num_nonnulls(NEW.from_account_id, NEW.to_account_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'integrity_constraint_violation',
            MESSAGE = 'the entries of a movement are not those of its sides',
            CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END
$$;

-- What move_money returns. A type of its own is known to the connection; OUT parameters are put
-- together twice for each call.
CREATE TYPE movement_answer AS (
    outcome            text,
    is_replay          boolean,
    account_id         bigint,
    account_currency   text,
    account_created_at timestamptz,
    entry_id           bigint,
    entry_amount       bigint,
    balance_after      bigint,
    transfer_id        bigint,
    entry_created_at   timestamptz
);

DROP FUNCTION move_money;

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
CREATE FUNCTION move_money(
    caller_session_id uuid,
    caller_username   text,
    idempotency_key   text,
    hash              bytea,
    paying_id         bigint,
    paid_id           bigint,
    minor_units       bigint,
    named_currency    text
)
RETURNS movement_answer
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
    -- The caller's own side, and the other one of a transfer.
    own_id   CONSTANT bigint := coalesce(paying_id, paid_id);
    other_id CONSTANT bigint := CASE WHEN paying_id IS NOT NULL THEN paid_id END;
    earlier_id     bigint;
    own            record;
    other_balance  bigint;
    other_currency text;
    refused        text;
    moved_id       bigint;
    own_amount     bigint;
    answer         public.movement_answer;
BEGIN
    -- Held to the end of the transaction, so that whoever gets it sees what came before.
    IF NOT pg_try_advisory_xact_lock(
        hashtextextended(caller_username || ' ' || idempotency_key, 0)
    ) THEN
        answer := ROW('request_in_flight', false);
        RETURN answer;
    END IF;

    -- COLLATE, here and below, is that of no index: the row is found by its number alone.
    SELECT (
        SELECT movements.id
        FROM public.movements
        WHERE movements.username = caller_username AND movements.key = idempotency_key
    )
    INTO earlier_id
    FROM public.live_sessions
    WHERE live_sessions.id = caller_session_id
      AND live_sessions.username COLLATE "C" = caller_username;
    IF NOT FOUND THEN
        answer := ROW('session_ended', false);
        RETURN answer;
    ELSIF earlier_id IS NOT NULL THEN
        SELECT coalesce(movements.refusal, 'done'), true, accounts.id, accounts.currency,
               accounts.created_at, entries.id, entries.amount, entries.balance_after,
               CASE WHEN movements.kind = 'transfer' THEN movements.id END, entries.created_at
        INTO answer
        FROM public.movements
        LEFT JOIN public.entries
            ON entries.account_id = coalesce(movements.from_account_id, movements.to_account_id)
            AND entries.kind = movements.kind
            AND entries.movement_id = movements.id
        LEFT JOIN public.accounts ON accounts.id = entries.account_id
        WHERE movements.id = earlier_id AND movements.request_hash = hash;
        IF NOT FOUND THEN
            answer := ROW('key_reused', false);
        END IF;
        RETURN answer;
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
              WHERE mine.id = own_id AND mine.owner COLLATE "C" = caller_username
          )
        FOR NO KEY UPDATE;
    END IF;
    SELECT balance, currency, created_at INTO own
    FROM public.accounts
    WHERE accounts.id = own_id AND accounts.owner COLLATE "C" = caller_username
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        answer := ROW('not_found', false);
        RETURN answer;
    END IF;
    IF other_id > own_id THEN
        SELECT balance, currency INTO other_balance, other_currency
        FROM public.accounts WHERE accounts.id = other_id FOR NO KEY UPDATE;
    END IF;

    -- The limit is money_balance's.
    refused := CASE
        WHEN own.currency <> named_currency THEN 'currency_mismatch'
        WHEN own_id = other_id THEN 'same_account'
        WHEN other_id IS NOT NULL AND other_currency IS DISTINCT FROM own.currency
            THEN 'recipient_unavailable'
        WHEN paying_id IS NOT NULL AND own.balance < minor_units THEN 'insufficient_funds'
        WHEN CASE WHEN paying_id IS NULL THEN own.balance ELSE other_balance END
            > 9007199254740991 - minor_units
            THEN 'balance_limit'
    END;
    IF refused IS NOT NULL THEN
        INSERT INTO public.movements (username, key, request_hash, refusal)
        VALUES (caller_username, idempotency_key, hash, refused);
        answer := ROW(refused, false);
        RETURN answer;
    END IF;

    -- It posts itself: the answer says what post_movement wrote for the own side.
    INSERT INTO public.movements
        (username, key, request_hash, kind, from_account_id, to_account_id, amount, currency)
    VALUES (caller_username, idempotency_key, hash,
            CASE
                WHEN paying_id IS NULL THEN 'deposit'
                WHEN paid_id IS NULL THEN 'withdrawal'
                ELSE 'transfer'
            END,
            paying_id, paid_id, minor_units, own.currency)
    RETURNING movements.id INTO moved_id;

    own_amount := CASE WHEN paying_id IS NULL THEN minor_units ELSE -minor_units END;
    RETURN ROW(
        'done', false, own_id, own.currency, own.created_at,
        moved_id * 2 + CASE WHEN paying_id IS NULL THEN 1 ELSE 0 END,
        own_amount, own.balance + own_amount, CASE WHEN other_id IS NOT NULL THEN moved_id END,
        now()
    )::public.movement_answer;
END
$$;

REVOKE EXECUTE ON FUNCTION move_money FROM PUBLIC;
GRANT EXECUTE ON FUNCTION move_money TO bank_app;
