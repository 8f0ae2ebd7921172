-- $1 session, $2 username, $3 account, $4 position, $5 rows.
SELECT accounts.id AS "account_id?", page.account_version AS "position?", page.id AS "id?",
       page.kind AS "kind?", page.movement_id AS "movement_id?", page.amount AS "amount?",
       page.balance_after AS "balance_after?", page.created_at AS "created_at?"
FROM live_sessions
LEFT JOIN accounts ON accounts.id = $3 AND accounts.owner = live_sessions.username
LEFT JOIN LATERAL (
    SELECT * FROM entries
    WHERE entries.account_id = accounts.id AND entries.account_version < $4
    ORDER BY entries.account_version DESC
    LIMIT $5
) AS page ON true
WHERE live_sessions.id = $1 AND live_sessions.username = $2
ORDER BY page.account_version DESC
