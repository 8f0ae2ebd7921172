-- Takes the time limits back, which are the settings of this role in this database.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE bank_app IN DATABASE %I RESET ALL', current_database());
END
$$;
