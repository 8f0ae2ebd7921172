-- $1 session, $2 username, $3 account, $4 position, $5 rows.
SELECT accounts.id AS "account_id?", page.id AS "id?", page.from_account_id AS "from_account_id?",
       page.to_account_id AS "to_account_id?", page.amount AS "amount?",
       page.currency AS "currency?", page.created_at AS "created_at?"
FROM live_sessions
LEFT JOIN accounts ON accounts.id = $3 AND accounts.owner = live_sessions.username
LEFT JOIN LATERAL (
    SELECT transfers.*
    FROM (
        SELECT entries.movement_id FROM entries
        WHERE entries.account_id = accounts.id AND entries.kind = 'transfer'
          AND entries.movement_id < $4
        ORDER BY entries.movement_id DESC
        LIMIT $5
    ) AS newest
    JOIN transfers ON transfers.id = newest.movement_id
) AS page ON true
WHERE live_sessions.id = $1 AND live_sessions.username = $2
ORDER BY page.id DESC
