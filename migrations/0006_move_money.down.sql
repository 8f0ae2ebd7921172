DROP FUNCTION move_money;
DROP TABLE idempotency_keys;
