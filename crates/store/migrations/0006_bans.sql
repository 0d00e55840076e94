-- Who is excluded from an event. A ticket and a visitor are numbers in that event (u64 as BIGINT), as in the role link's facts.

-- The banned tickets as the stage's journal has them, and the visitors who came with them.
CREATE TABLE bans (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ticket BIGINT NOT NULL,
    PRIMARY KEY (event_id, ticket)
);

-- Who came to the stage with a ticket: their account's number, their browser's. An account came with the browsers that it was used in.
CREATE TABLE bearers (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ticket BIGINT NOT NULL,
    visitor BIGINT NOT NULL,
    came_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, ticket, visitor)
);
