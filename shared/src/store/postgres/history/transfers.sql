-- $1 session, $2 username, $3 position, $4 rows.
--
-- Each account gives its newest transfers, and the newest of those are taken. An owner has one
-- account in a currency, so that no transfer has two of them for its sides.
SELECT page.id AS "id?", page.from_account_id AS "from_account_id?",
       page.to_account_id AS "to_account_id?", page.amount AS "amount?",
       page.currency AS "currency?", page.created_at AS "created_at?"
FROM live_sessions
LEFT JOIN LATERAL (
    SELECT transfers.*
    FROM (
        SELECT side.movement_id
        FROM accounts
        CROSS JOIN LATERAL (
            SELECT entries.movement_id FROM entries
            WHERE entries.account_id = accounts.id AND entries.kind = 'transfer'
              AND entries.movement_id < $3
            ORDER BY entries.movement_id DESC
            LIMIT $4
        ) AS side
        WHERE accounts.owner = live_sessions.username
        ORDER BY side.movement_id DESC
        LIMIT $4
    ) AS newest
    JOIN transfers ON transfers.id = newest.movement_id
) AS page ON true
WHERE live_sessions.id = $1 AND live_sessions.username = $2
ORDER BY page.id DESC
