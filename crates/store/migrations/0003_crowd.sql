-- What an audience takes part in. A ticket and a voter are a visitor's number in one event (u64 as BIGINT); `spoke` and `open` are 0 or 1.

CREATE TABLE hands (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    ticket BIGINT NOT NULL,
    name TEXT NOT NULL,
    topic TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('waiting', 'admitted', 'declined', 'gone')),
    spoke BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, ticket)
);

CREATE TABLE pins (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    body TEXT NOT NULL,
    address TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    taken_at BIGINT,
    PRIMARY KEY (event_id, number)
);

-- The answers of a poll are lines.
CREATE TABLE polls (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    body TEXT NOT NULL,
    answers TEXT NOT NULL,
    open BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, number)
);

CREATE TABLE questions (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    ticket BIGINT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    open BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (event_id, number)
);

-- One vote of one voter for one thing: a hand (its ticket), a question, a poll (with the answer).
CREATE TABLE votes (
    event_id BIGINT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('hand', 'poll', 'question')),
    item BIGINT NOT NULL,
    voter BIGINT NOT NULL,
    answer BIGINT NOT NULL,
    PRIMARY KEY (event_id, kind, item, voter)
);
