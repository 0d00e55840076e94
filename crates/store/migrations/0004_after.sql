-- What is heard of an ended event, what became of its recording, and clips of it. Numbers are those of fragments.

CREATE TABLE replays (
    event_id BIGINT PRIMARY KEY NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    first_number BIGINT NOT NULL DEFAULT 0,
    end_number BIGINT NOT NULL DEFAULT 0,
    cuts BIGINT NOT NULL DEFAULT 0,
    -- When its moments were read; none while that is still to be done.
    read_at BIGINT,
    mp3_bytes BIGINT,
    hidden_at BIGINT,
    deleted_at BIGINT,
    deleted_by TEXT CHECK (deleted_by IN ('owner', 'retention'))
);

CREATE TABLE clips (
    id BIGINT PRIMARY KEY NOT NULL,
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    from_number BIGINT NOT NULL,
    to_number BIGINT NOT NULL,
    created_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX clips_by_event ON clips (event_id, from_number, id);
