DROP FUNCTION count_login_failure;
DROP FUNCTION forget_login_failures;
DROP FUNCTION login_lock_secs;
DROP TABLE login_failures;
