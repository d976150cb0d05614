-- +goose Up
-- What cannot be proved of a dispute, as its last decision found. Each is decided anew, so that it is known of all.
ALTER TABLE dispute ADD COLUMN lacks TEXT NOT NULL DEFAULT '';
UPDATE dispute SET decided_on = 0 WHERE NOT closed;
-- +goose Down
ALTER TABLE dispute DROP COLUMN lacks;
