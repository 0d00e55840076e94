-- Who came with a ticket is kept by kind, so that browsers, which cost nothing, push no account out; and a raised hand says from which
-- network it was, as a number that only who has the ticket keys could make, for as long as it waits.

ALTER TABLE bearers ADD COLUMN is_account BIGINT NOT NULL DEFAULT 0;
ALTER TABLE hands ADD COLUMN network BIGINT;
