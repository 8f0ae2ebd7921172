-- What tables, columns and functions are for, where the catalog can tell it: docs/database.md is made of
-- the catalog, and psql's \d+ and \df+ show it. Triggers and constraints go by their names.
--
-- A column that names a row without a foreign key says so by "References table (column)", which the
-- diagram reads. Nothing that reads or writes waits for a comment.

COMMENT ON TABLE users IS
    'People who signed up. The application can give nobody a role; however one is given, audit_events says so.';
COMMENT ON COLUMN users.username IS
    'Chosen at the sign-up. The application cannot change it.';
COMMENT ON COLUMN users.hashed_password IS
    'By Argon2id, as a PHC string that says with which parameters.';
COMMENT ON COLUMN users.email IS
    'Unique without regard to case, by users_email_key.';
COMMENT ON COLUMN users.is_email_verified IS
    'Whether a code that was mailed to this address has been spent. A new address is not verified.';
COMMENT ON COLUMN users.role IS
    'A banker reads every user and changes the full name of any.';
COMMENT ON COLUMN users.password_changed_at IS
    'When this password was chosen; the same one hashed anew is no change. Whoever has proved an earlier one '
    'by then is refused.';

COMMENT ON TABLE accounts IS
    'What users hold, an account for each owner and currency. It begins empty, keeps its owner and currency, '
    'and is never removed; its balance is changed by post_movement.';
COMMENT ON COLUMN accounts.balance IS
    'Minor units, such as cents: the sum of the account''s entries.';
COMMENT ON COLUMN accounts.version IS
    'How many entries the account has, and so the account_version of the last one.';

COMMENT ON TABLE movements IS
    'What each idempotency key stands for, for ever: money that went from one side to another, where a side '
    'that is null is the world outside the bank, or a refusal. A movement posts itself, by post_movement; '
    'rows are only added.';
COMMENT ON COLUMN movements.id IS
    'If it is a transfer, the number of that.';
COMMENT ON COLUMN movements.username IS
    'Whose key it is. References users (username): move_money takes it from a live session.';
COMMENT ON COLUMN movements.key IS
    'The Idempotency-Key of the request, unique among those of the user. What was moved before there were '
    'keys has one that begins with migrated- and that nobody knows.';
COMMENT ON COLUMN movements.request_hash IS
    'SHA-256 of the request in a canonical form that names the operation. Another request under the same key '
    'is refused.';
COMMENT ON COLUMN movements.refusal IS
    'Why nothing was moved; then kind, sides, amount and currency are null. It is null if money was moved.';
COMMENT ON COLUMN movements.kind IS
    'deposit without a paying side, withdrawal without a paid one, else transfer.';
COMMENT ON COLUMN movements.from_account_id IS
    'Who pays. References accounts (id), which post_movement checks; null for a deposit.';
COMMENT ON COLUMN movements.to_account_id IS
    'Who is paid. References accounts (id), which post_movement checks; null for a withdrawal.';
COMMENT ON COLUMN movements.amount IS
    'Minor units, such as cents.';
COMMENT ON COLUMN movements.currency IS
    'That of the accounts of its sides, which post_movement checks.';

COMMENT ON TABLE entries IS
    'What a movement did to an account of its sides: one row for each, written by post_movement and never changed.';
COMMENT ON COLUMN entries.id IS
    'A name for clients, looked up by nobody: twice the number of the movement for the paying side, one more for '
    'the paid one. Entries from before migration 12 have numbers from a sequence.';
COMMENT ON COLUMN entries.account_id IS
    'References accounts (id): written by post_movement alone.';
COMMENT ON COLUMN entries.account_version IS
    'Counts the entries of the account from 1, without a gap. Its history is ordered by it.';
COMMENT ON COLUMN entries.movement_id IS
    'References movements (id): written by post_movement alone.';
COMMENT ON COLUMN entries.kind IS
    'That of the movement.';
COMMENT ON COLUMN entries.currency IS
    'That of the movement and of the account.';
COMMENT ON COLUMN entries.amount IS
    'Minor units, such as cents. What left the account is negative.';
COMMENT ON COLUMN entries.balance_after IS
    'The balance of the account with this entry.';

COMMENT ON VIEW transfers IS
    'The movements that moved money from one account to another.';

COMMENT ON TABLE sessions IS
    'What log-ins began. A session is a family of refresh tokens of which one is of use. Once it has ended it '
    'stays so; what ended thirty days ago is removed by the next log-in of its user.';
COMMENT ON COLUMN sessions.refresh_token_hash IS
    'SHA-256 of the one refresh token that is of use: a copy of this table opens no session.';
COMMENT ON COLUMN sessions.user_agent IS
    'What the program that logged in calls itself.';
COMMENT ON COLUMN sessions.client_ip IS
    'Where the log-in came from.';
COMMENT ON COLUMN sessions.expires_at IS
    'When it ends unless it is renewed. Each renewal moves it, up to ends_at.';
COMMENT ON COLUMN sessions.ends_at IS
    'When it ends however often it is renewed. It never moves.';
COMMENT ON COLUMN sessions.revoked_at IS
    'When it was ended before its time; null if it was not.';
COMMENT ON COLUMN sessions.end_reason IS
    'Why it was ended before its time, if that was noted.';
COMMENT ON COLUMN sessions.renewals IS
    'How many refresh tokens have been spent.';

COMMENT ON VIEW live_sessions IS
    'The one definition of a session that may act: neither revoked nor expired, by the clock of the database. '
    'Every statement that is made for a caller asks it, so that a session which ends, ends on the next request.';
COMMENT ON COLUMN live_sessions.role IS
    'The role that the user has now.';

COMMENT ON TABLE spent_refresh_tokens IS
    'Refresh tokens that were renewed. One that is shown again within seconds is a retry, and later a theft, '
    'which ends the session. The last 5,000 of a session are kept.';
COMMENT ON COLUMN spent_refresh_tokens.token_hash IS
    'SHA-256 of the token.';
COMMENT ON COLUMN spent_refresh_tokens.number IS
    'Counts the spent tokens of the session from 1.';
COMMENT ON COLUMN spent_refresh_tokens.successor_hash IS
    'SHA-256 of the token that took its place, which a retry gets again.';

COMMENT ON TABLE login_failures IS
    'Wrong passwords, counted by the name that was tried, whether somebody has it or not, and by the address '
    'that tried it. What is a day old is removed by those who come later.';
COMMENT ON COLUMN login_failures.subject IS
    'The username, or the address: of IPv6 the network of 64 bits.';
COMMENT ON COLUMN login_failures.failures IS
    'Of a name, those in a row, until a right password or a day without one; of an address, those within '
    'ten minutes.';
COMMENT ON COLUMN login_failures.counted_since IS
    'When the first of them was counted.';
COMMENT ON COLUMN login_failures.last_at IS
    'When the last of them was counted.';
COMMENT ON COLUMN login_failures.locked_until IS
    'Until when passwords of this subject are not looked at; null or past if they are.';

COMMENT ON TABLE verify_emails IS
    'Wishes to have an address verified, each of which is the task of the outbox and the code that is mailed. '
    'It is written with what gives rise to it. A user has one code that is of use, or none.';
COMMENT ON COLUMN verify_emails.id IS
    'Random, so that nobody finds the codes of others by counting, and small enough for readers of JSON.';
COMMENT ON COLUMN verify_emails.email IS
    'The address that is to be verified, which the user may have changed since.';
COMMENT ON COLUMN verify_emails.created_at IS
    'Not the beginning of the transaction: what waited for another one is younger than what that wrote.';
COMMENT ON COLUMN verify_emails.due_at IS
    'When the relay publishes it, unless somebody has by then. The relay moves it on while it tries.';
COMMENT ON COLUMN verify_emails.published_at IS
    'When the queue is known to have taken it.';
COMMENT ON COLUMN verify_emails.claimed_until IS
    'Until when a worker has it for itself.';
COMMENT ON COLUMN verify_emails.done_at IS
    'When it was mailed, or found to be no longer wanted.';
COMMENT ON COLUMN verify_emails.secret_hash IS
    'SHA-256 of the code that was mailed last, for as long as that is of use.';
COMMENT ON COLUMN verify_emails.expires_at IS
    'Until when the code can be spent; null until there is one.';
COMMENT ON COLUMN verify_emails.tries IS
    'How many wrong guesses at the code there were.';
COMMENT ON COLUMN verify_emails.used_at IS
    'When the code was spent.';

COMMENT ON TABLE audit_events IS
    'Uses of power over others: roles that were given, full names that bankers changed. Rows are only added.';
COMMENT ON COLUMN audit_events.actor IS
    'The banker''s username, or how the operator named themselves by SET bank.operator, or else the role of '
    'the database.';
COMMENT ON COLUMN audit_events.username IS
    'Whom it was done to. References users (username).';
COMMENT ON COLUMN audit_events.before IS
    'The role or the name before; null for who was made with a role.';
COMMENT ON COLUMN audit_events.after IS
    'The role or the name since.';

COMMENT ON DOMAIN money_amount IS
    'Minor units, such as cents, that move: at least one, and no more than every reader of JSON keeps exact.';
COMMENT ON DOMAIN money_balance IS
    'Minor units, such as cents, that an account may hold, under the same limit.';
COMMENT ON DOMAIN currency_code IS
    'The currencies of the bank, by ISO 4217.';
COMMENT ON DOMAIN refusal_code IS
    'Why a movement was refused. A refusal is kept under its key, as an effect is.';
COMMENT ON DOMAIN idempotency_key IS
    'The client''s name for one intended effect.';
COMMENT ON DOMAIN sha256_digest IS
    'What SHA-256 makes of a secret or of a request.';
COMMENT ON TYPE movement_answer IS
    'What move_money answers: what came of it, whether that is told again, and of money that was moved the '
    'caller''s own account and entry.';

COMMENT ON FUNCTION move_money IS
    'Moves money, once for each key: the one way in which the application does. It does so in one statement, '
    'so that locks are held for one round trip. outcome is done, a refusal_code, or one of which nothing is '
    'kept: session_ended; request_in_flight, when another transaction is at work under this key; key_reused, '
    'when the key stands for another request; email_not_verified, when money would leave and verified_only '
    'is asked for; not_found, when the own side, the paying one if there is one, is no account of the caller. '
    'A key that was used before gets its first answer again.';
COMMENT ON FUNCTION post_movement IS
    'Posts a movement: changes the balance of the account of each side and writes its entry. It refuses a '
    'movement whose sides are not accounts of its currency or whose kind is not theirs, and a refusal that has any.';
COMMENT ON FUNCTION check_entries_of_movement IS
    'Reads at the end of the transaction what post_movement wrote: a movement has the entries of its sides, '
    'in its currency and by its amount, or it is not committed.';
COMMENT ON FUNCTION refuse_change IS
    'Refuses what would change or remove what the books have.';
COMMENT ON FUNCTION refuse_change_without_movement IS
    'Refuses a balance or an entry from a statement that no trigger made: post_movement alone writes them.';
COMMENT ON FUNCTION begin_session IS
    'Begins a session for somebody whose password was right a moment ago, and ends the oldest of those that are '
    'more than max_live. outcome is begun; password_changed, when the password that was right, chosen at '
    'proven_changed_at, is no longer theirs; or locked, when others have locked the name or the address meanwhile, '
    'for locked_secs more. stronger_hash is the same password hashed by the present parameters, or null.';
COMMENT ON FUNCTION renew_session IS
    'Spends a refresh token for its successor. outcome is renewed; replayed, when it was spent within the last '
    'retry_secs, and its first successor stands; reused, when it was spent before that, which ends the session; '
    'ended, when the session has; or unknown.';
COMMENT ON FUNCTION refuse_session_change IS
    'Refuses to give a session another user or last hour, to bring back one that has ended, and to change '
    'what was spent.';
COMMENT ON FUNCTION login_lock_secs IS
    'For how many seconds more passwords of this name, or from this address, are not looked at; null if they are.';
COMMENT ON FUNCTION count_login_failure IS
    'Counts a wrong password, by its name and by its address, and locks what has reached its limit: a name for 30 '
    'seconds, and for twice as long by each further one, up to 15 minutes; an address for 15 minutes. If others '
    'had locked either by then, it counts nothing and returns the seconds that are left.';
COMMENT ON FUNCTION forget_login_failures IS
    'Removes up to ten rows that are a day old. An attempt adds two at most, so that nobody fills the table '
    'with names.';
COMMENT ON FUNCTION change_user IS
    'Changes what is given of a user and leaves the rest. outcome is changed; session_ended; not_found, when there '
    'is no such user or the caller may not know of them; permission_denied, when a banker would change more than '
    'a full name; password_changed, when the password that was right, chosen at proven_changed_at, is no longer '
    'theirs; or too_many, when the address was changed ten times within a day, for wait_secs more. A new address '
    'is not verified, and email_id is the task of it. A new password ends the other sessions of the user.';
COMMENT ON FUNCTION audit_role IS
    'Writes into audit_events that a role was given, and by whom.';
COMMENT ON FUNCTION verify_email_wait_secs IS
    'For how many seconds a user has to wait for a further mail of a kind, of which there is one after each gap and '
    'so many a day; null if not at all.';
COMMENT ON FUNCTION request_verify_email IS
    'Writes a further task for the caller''s own address. outcome is written; verified, when there is nothing to do; '
    'session_ended; or too_many, for wait_secs more.';
COMMENT ON FUNCTION claim_verify_email IS
    'Gives a task to a worker, with the hash of the code that it is about to mail; every other code of the user '
    'dies. outcome is claimed, and then the rest says whom to write to; busy, when another worker has it; or '
    'done, when it was mailed, or the address has been verified or changed, or there is a younger task.';
COMMENT ON FUNCTION spend_verify_email IS
    'Spends a code for its address. outcome is verified; wrong, when there is no such code, of which max_tries end '
    'the one that there is; or spent, when it was used, guessed at too often, or has expired, or a younger one was '
    'mailed, or the user has another address by now.';
