-- What an announcement says besides title and time, series of events, who is let in by name, and who wants to be reminded.

CREATE TABLE event_series (
    id BIGINT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    repeats TEXT NOT NULL CHECK (repeats IN ('weekly', 'fortnightly', 'monthly')),
    created_by BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL
);

ALTER TABLE events ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN speak TEXT NOT NULL DEFAULT 'hands' CHECK (speak IN ('hands', 'invited'));
ALTER TABLE events ADD COLUMN delay_seconds BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN record_tracks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN empty_minutes BIGINT NOT NULL DEFAULT 10;
ALTER TABLE events ADD COLUMN doors_minutes BIGINT NOT NULL DEFAULT 15;
-- The passphrase's hash, as argon2 writes it. Nobody keeps the passphrase.
ALTER TABLE events ADD COLUMN passphrase TEXT;
-- The hash of the picture's bytes in hex; the bytes lie in the event's directory.
ALTER TABLE events ADD COLUMN picture TEXT;
ALTER TABLE events ADD COLUMN series_id BIGINT REFERENCES event_series (id);
-- When the doors opened: the programme is on, the event has not begun.
ALTER TABLE events ADD COLUMN doors_at BIGINT;
-- How often the announcement was changed, and when last: calendars ask (RFC 5545, SEQUENCE and LAST-MODIFIED).
ALTER TABLE events ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN changed_at BIGINT;

CREATE INDEX events_by_series ON events (series_id, start_at);
CREATE INDEX events_by_maker ON events (created_by, ended_at);

CREATE TABLE event_guests (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, account_id)
);

CREATE INDEX event_guests_by_account ON event_guests (account_id);

CREATE TABLE event_reminders (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (event_id, account_id)
);

CREATE INDEX event_reminders_by_account ON event_reminders (account_id);
