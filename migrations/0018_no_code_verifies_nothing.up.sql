-- What is not known is not a code: of a NULL, no comparison said that it was wrong.
ALTER FUNCTION spend_verify_email(bigint, bytea, integer) STRICT;
