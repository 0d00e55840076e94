-- One text for SQLite and PostgreSQL: BIGINT for ids and milliseconds, TEXT for everything else.

CREATE TABLE accounts (
    id BIGINT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'moderator', 'member')),
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX accounts_by_name ON accounts (lower(name));

-- The hash is SHA-256 of the token in hex; the token itself is nowhere. A link without an account makes the first administrator.
CREATE TABLE sign_in_links (
    hash TEXT PRIMARY KEY NOT NULL,
    account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at BIGINT
);

CREATE TABLE sessions (
    hash TEXT PRIMARY KEY NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_last_use ON sessions (last_used_at);

CREATE TABLE events (
    id BIGINT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    created_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    start_at BIGINT,
    live_at BIGINT,
    ended_at BIGINT,
    end_number BIGINT
);

CREATE INDEX events_by_end ON events (ended_at, live_at, created_at);
