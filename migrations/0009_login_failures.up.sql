-- Wrong passwords, counted by the name that was tried, whether somebody has it or not, and by the
-- address that tried it. They stand here rather than in a process, since a guesser meets a new one
-- with each cold start.
--
-- A name is locked for 30 seconds by the failure that reaches its limit, and for twice as long by
-- each one after it, up to 15 minutes. A right password sets it back. An address is locked for 15
-- minutes when it reaches its limit within 10 minutes of the first failure, whatever names it tried.
-- Locked means that passwords are not looked at; sessions that live go on, and are renewed.
--
-- What is a day old is forgotten.
CREATE TABLE login_failures (
    kind          text        NOT NULL,
    -- A username, or an address.
    subject       text        NOT NULL,
    failures      integer     NOT NULL,
    counted_since timestamptz NOT NULL,
    last_at       timestamptz NOT NULL,
    locked_until  timestamptz,
    CONSTRAINT login_failures_pkey PRIMARY KEY (kind, subject),
    CONSTRAINT login_failures_kind_check CHECK (kind IN ('name', 'address')),
    CONSTRAINT login_failures_subject_check CHECK (char_length(subject) BETWEEN 1 AND 100),
    CONSTRAINT login_failures_failures_check CHECK (failures >= 0)
);

CREATE INDEX login_failures_last_at_idx ON login_failures (last_at);

-- For how many seconds more passwords of this name, or from this address, are not looked at; null if
-- they are.
CREATE FUNCTION login_lock_secs(tried_name text, tried_address text) RETURNS bigint
LANGUAGE sql
STABLE
AS $$
    SELECT ceil(extract(epoch FROM max(login_failures.locked_until) - now()))::bigint
    FROM public.login_failures
    WHERE (login_failures.kind, login_failures.subject)
          IN (('name', tried_name), ('address', tried_address))
      AND login_failures.locked_until > now()
$$;

-- Takes away up to ten rows that are a day old. Each attempt adds two at most, so that nobody fills
-- the table with names.
CREATE FUNCTION forget_login_failures() RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM public.login_failures
    WHERE (kind, subject) IN (
        SELECT forgotten.kind, forgotten.subject
        FROM public.login_failures AS forgotten
        WHERE forgotten.last_at < now() - interval '1 day'
        LIMIT 10
        FOR UPDATE SKIP LOCKED
    )
$$;

-- Counts a wrong password. If others had locked the name or the address by then, it is not counted and
-- the rest of the lock is returned in seconds: of passwords that were tried side by side, no more are
-- told to be wrong than of those that were tried in turn.
CREATE FUNCTION count_login_failure(
    tried_name    text,
    tried_address text,
    name_limit    integer,
    address_limit integer
) RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
AS $$
DECLARE
    locked_secs bigint;
BEGIN
    -- First the name's row, then the address's, by everybody.
    INSERT INTO public.login_failures (kind, subject, failures, counted_since, last_at)
    VALUES ('name', tried_name, 0, now(), now())
    ON CONFLICT (kind, subject) DO NOTHING;
    PERFORM FROM public.login_failures
    WHERE login_failures.kind = 'name' AND login_failures.subject = tried_name
    FOR UPDATE;
    INSERT INTO public.login_failures (kind, subject, failures, counted_since, last_at)
    VALUES ('address', tried_address, 0, now(), now())
    ON CONFLICT (kind, subject) DO NOTHING;
    PERFORM FROM public.login_failures
    WHERE login_failures.kind = 'address' AND login_failures.subject = tried_address
    FOR UPDATE;

    locked_secs := public.login_lock_secs(tried_name, tried_address);
    IF locked_secs IS NOT NULL THEN
        RETURN locked_secs;
    END IF;

    UPDATE public.login_failures
    SET failures = counted.failures,
        counted_since =
            CASE WHEN counted.failures = 1 THEN now() ELSE login_failures.counted_since END,
        last_at = now(),
        locked_until = CASE
            WHEN counted.kind = 'name' AND counted.failures >= name_limit
                -- The exponent is bounded, or the power would overflow one day.
                THEN now() + least(30 * power(2, least(counted.failures - name_limit, 10)), 900)
                    * interval '1 second'
            WHEN counted.kind = 'address' AND counted.failures >= address_limit
                THEN now() + interval '15 minutes'
        END
    FROM (
        SELECT earlier.kind, earlier.subject,
               CASE
                   WHEN earlier.kind = 'name' AND earlier.last_at < now() - interval '1 day' THEN 1
                   WHEN earlier.kind = 'address'
                       AND earlier.counted_since < now() - interval '10 minutes' THEN 1
                   ELSE earlier.failures + 1
               END AS failures
        FROM public.login_failures AS earlier
        WHERE (earlier.kind, earlier.subject)
              IN (('name', tried_name), ('address', tried_address))
    ) AS counted
    WHERE login_failures.kind = counted.kind AND login_failures.subject = counted.subject;

    PERFORM public.forget_login_failures();
    RETURN NULL;
END
$$;

-- A new function is everybody's until it is said otherwise.
REVOKE EXECUTE ON FUNCTION count_login_failure, login_lock_secs, forget_login_failures FROM PUBLIC;
GRANT SELECT ON login_failures TO bank_app;
GRANT EXECUTE ON FUNCTION count_login_failure, login_lock_secs TO bank_app;
