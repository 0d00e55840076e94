-- A link to an event's stage for one person. The id is that of the ticket in the link; its 64 bits are kept as they are.
CREATE TABLE invites (
    id BIGINT PRIMARY KEY NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('speaker', 'co-host')),
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    created_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE INDEX invites_by_event ON invites (event_id, created_at);
