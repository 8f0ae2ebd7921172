-- Transfers, refusals (of which nothing is kept), the money there is, entries, and accounts that their entries
-- do not explain.
SELECT (SELECT count(*) FROM transfers),
       0,
       (SELECT sum(balance) FROM accounts),
       (SELECT count(*) FROM entries),
       (SELECT count(*)
        FROM accounts
        LEFT JOIN (SELECT account_id, sum(amount) AS amount
                   FROM entries GROUP BY account_id) AS sums ON sums.account_id = accounts.id
        WHERE balance <> :balance + coalesce(sums.amount, 0));
