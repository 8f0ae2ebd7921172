-- As migration 0013 had it.
ALTER FUNCTION spend_verify_email(bigint, bytea, integer) CALLED ON NULL INPUT;
