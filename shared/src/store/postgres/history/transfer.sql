-- $1 session, $2 username, $3 transfer.
SELECT transfers.id AS "id?", transfers.from_account_id AS "from_account_id?",
       transfers.to_account_id AS "to_account_id?", transfers.amount AS "amount?",
       transfers.currency AS "currency?", transfers.created_at AS "created_at?"
FROM live_sessions
LEFT JOIN transfers
    ON transfers.id = $3
    AND EXISTS (
        SELECT FROM accounts
        WHERE accounts.owner = live_sessions.username
          AND accounts.id IN (transfers.from_account_id, transfers.to_account_id)
    )
WHERE live_sessions.id = $1 AND live_sessions.username = $2
