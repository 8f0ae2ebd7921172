CREATE TABLE users (
    username            text        NOT NULL,
    hashed_password     text        NOT NULL,
    full_name           text        NOT NULL,
    email               text        NOT NULL,
    is_email_verified   boolean     NOT NULL DEFAULT false,
    role                text        NOT NULL DEFAULT 'depositor',
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (username),
    CONSTRAINT users_username_check CHECK (username ~ '^[a-z0-9_]{3,100}$'),
    CONSTRAINT users_full_name_check CHECK (char_length(full_name) BETWEEN 1 AND 100),
    CONSTRAINT users_email_check CHECK (char_length(email) BETWEEN 3 AND 200),
    CONSTRAINT users_role_check CHECK (role IN ('depositor', 'banker'))
);

-- One address is one user, however its letters are cased.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
