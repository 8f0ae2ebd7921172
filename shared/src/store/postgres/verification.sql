-- Every rule of the books, computed anew from the rows themselves: whatever it returns breaks one.
-- Ten offenders of each rule at most; none at all when the books are right. One statement, and so
-- one snapshot, which `psql -f` runs as well.
--
-- Sums alone do not see a payment that was made twice. Keys do: each stands for one movement, and
-- each movement for exactly its own entries.
WITH sides AS (
    SELECT movements.id AS movement_id, movements.kind, movements.currency,
           side.account_id, side.amount
    FROM movements
    CROSS JOIN LATERAL (VALUES
        (movements.from_account_id, -movements.amount),
        (movements.to_account_id, movements.amount::bigint)
    ) AS side (account_id, amount)
    WHERE side.account_id IS NOT NULL
),
chain AS (
    SELECT entries.*,
           lag(account_version, 1, 0::bigint) OVER history AS version_before,
           lag(balance_after::bigint, 1, 0::bigint) OVER history AS balance_before
    FROM entries
    WINDOW history AS (PARTITION BY account_id ORDER BY account_version)
),
totals AS (
    SELECT account_id, count(*) AS entries, sum(amount) AS amount,
           max(account_version) AS version
    FROM entries
    GROUP BY account_id
)

-- Σ balances = Σ deposits − Σ withdrawals, in each currency.
(SELECT 'money_comes_from_deposits' AS "invariant!", currency::text AS "offender!"
 FROM (
     SELECT currency, sum(balance) AS held, 0 AS brought
     FROM accounts GROUP BY currency
     UNION ALL
     SELECT currency, 0,
            sum(CASE kind WHEN 'deposit' THEN amount WHEN 'withdrawal' THEN -amount ELSE 0 END)
     FROM movements WHERE refusal IS NULL GROUP BY currency
 ) AS ledgers
 GROUP BY currency
 HAVING sum(held) <> sum(brought)
 ORDER BY currency LIMIT 10)
UNION ALL
(SELECT 'balance_in_range', id::text
 FROM accounts
 WHERE balance < 0 OR balance > 9007199254740991
 ORDER BY id LIMIT 10)
UNION ALL
(SELECT 'balance_is_sum_of_entries', accounts.id::text
 FROM accounts
 LEFT JOIN totals ON totals.account_id = accounts.id
 WHERE accounts.balance <> coalesce(totals.amount, 0)
 ORDER BY accounts.id LIMIT 10)
UNION ALL
(SELECT 'balance_is_that_of_last_entry', accounts.id::text
 FROM accounts
 LEFT JOIN totals ON totals.account_id = accounts.id
 LEFT JOIN entries
     ON entries.account_id = accounts.id AND entries.account_version = totals.version
 WHERE accounts.balance <> coalesce(entries.balance_after, 0)
 ORDER BY accounts.id LIMIT 10)
UNION ALL
(SELECT 'versions_have_no_gap', accounts.id::text
 FROM accounts
 LEFT JOIN totals ON totals.account_id = accounts.id
 WHERE accounts.version <> coalesce(totals.entries, 0)
    OR accounts.version <> coalesce(totals.version, 0)
 ORDER BY accounts.id LIMIT 10)
UNION ALL
(SELECT 'entry_continues_the_last', id::text
 FROM chain
 WHERE account_version <> version_before + 1
    OR balance_after <> balance_before + amount
 ORDER BY id LIMIT 10)
UNION ALL
-- Exactly one entry for each side: with 'entry_is_side_of_movement', a transfer's two sum to zero.
(SELECT 'side_has_one_entry', sides.movement_id::text
 FROM sides
 LEFT JOIN entries
     ON entries.movement_id = sides.movement_id AND entries.account_id = sides.account_id
 GROUP BY sides.movement_id, sides.account_id
 HAVING count(entries.id) <> 1
 ORDER BY sides.movement_id LIMIT 10)
UNION ALL
(SELECT 'entry_is_side_of_movement', entries.id::text
 FROM entries
 LEFT JOIN sides
     ON sides.movement_id = entries.movement_id
     AND sides.account_id = entries.account_id
     AND sides.amount = entries.amount
     AND sides.kind = entries.kind
     AND sides.currency = entries.currency
 WHERE sides.movement_id IS NULL
 ORDER BY entries.id LIMIT 10)
UNION ALL
(SELECT 'transfer_sums_to_zero', movement_id::text
 FROM entries
 WHERE kind = 'transfer'
 GROUP BY movement_id
 HAVING count(*) <> 2 OR sum(amount) <> 0
 ORDER BY movement_id LIMIT 10)
UNION ALL
(SELECT 'entry_is_in_currency_of_account', entries.id::text
 FROM entries
 LEFT JOIN accounts ON accounts.id = entries.account_id
 WHERE accounts.currency IS DISTINCT FROM entries.currency
 ORDER BY entries.id LIMIT 10)
UNION ALL
(SELECT 'key_is_the_owners', movements.id::text
 FROM movements
 LEFT JOIN users ON users.username = movements.username
 LEFT JOIN accounts ON accounts.id = coalesce(from_account_id, to_account_id)
 WHERE users.username IS NULL
    OR (movements.refusal IS NULL AND accounts.owner IS DISTINCT FROM movements.username)
 ORDER BY movements.id LIMIT 10)
UNION ALL
(SELECT 'key_has_one_movement', min(id)::text
 FROM movements
 GROUP BY username, key
 HAVING count(*) <> 1
 ORDER BY min(id) LIMIT 10)
UNION ALL
(SELECT 'refused_or_done', id::text
 FROM movements
 WHERE CASE
     WHEN refusal IS NULL THEN num_nulls(kind, amount, currency) > 0
         OR kind <> CASE
             WHEN from_account_id IS NULL THEN 'deposit'
             WHEN to_account_id IS NULL THEN 'withdrawal'
             ELSE 'transfer'
         END
         OR num_nonnulls(from_account_id, to_account_id) = 0
     ELSE num_nonnulls(kind, from_account_id, to_account_id, amount, currency) > 0
 END
 ORDER BY id LIMIT 10)
UNION ALL
(SELECT 'entry_number_is_unique', id::text
 FROM entries
 GROUP BY id
 HAVING count(*) <> 1
 ORDER BY id LIMIT 10)
