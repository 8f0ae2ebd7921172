-- Money leaves an account only if its owner's address is verified, for those who ask for it.
--
-- The release before does not know of it, and goes on as it did until it is replaced: hence the default.

DROP FUNCTION move_money;

-- Moves money, once for each key. All of it is one statement to the client: the locks are held for
-- one round trip.
--
-- outcome is 'done', a refusal_code, or one of
--   'session_ended'       the caller's session does not live,
--   'request_in_flight'   another transaction is at work under this key,
--   'key_reused'          the key stands for another request,
--   'email_not_verified'  money would leave, and the caller's address is not verified,
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
    named_currency    text,
    -- Whether money leaves only if its owner's address is verified.
    verified_only     boolean DEFAULT false
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
    may_pay        boolean;
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
    ),
    CASE WHEN verified_only AND paying_id IS NOT NULL THEN (
        SELECT users.is_email_verified
        FROM public.users
        WHERE users.username = caller_username
    ) ELSE true END
    INTO earlier_id, may_pay
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
    ELSIF NOT may_pay THEN
        answer := ROW('email_not_verified', false);
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
