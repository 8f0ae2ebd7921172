-- The roles stay as they are; who gave them is forgotten.
DROP FUNCTION change_user;
DROP TRIGGER users_audit_first_role ON users;
DROP TRIGGER users_audit_role ON users;
DROP FUNCTION audit_role;
DROP TABLE audit_events;

-- A column cannot be taken out of a view in place.
DROP VIEW live_sessions;
CREATE VIEW live_sessions AS
    SELECT sessions.id, sessions.username
    FROM sessions
    WHERE sessions.revoked_at IS NULL
      AND sessions.expires_at > now();
GRANT SELECT ON live_sessions TO bank_app;
