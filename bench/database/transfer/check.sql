-- Transfers, refusals, the money there is, entries, and accounts that their entries do not explain.
SELECT (SELECT count(*) FROM transfers),
       (SELECT count(*) FROM movements WHERE refusal IS NOT NULL),
       (SELECT sum(balance) FROM accounts),
       (SELECT count(*) FROM entries WHERE kind = 'transfer'),
       (SELECT count(*)
        FROM accounts
        JOIN (SELECT account_id, sum(amount) AS amount, count(*) AS entries
              FROM entries GROUP BY account_id) AS sums ON sums.account_id = accounts.id
        WHERE balance <> sums.amount OR version <> sums.entries);
