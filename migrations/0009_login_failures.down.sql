DROP FUNCTION count_login_failure;
DROP FUNCTION login_lock_secs;
DROP TABLE login_failures;
