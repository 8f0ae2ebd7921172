DROP VIEW live_sessions;
DROP TABLE sessions;
