-- +goose Up
ALTER TABLE dispute ADD COLUMN holders TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE dispute DROP COLUMN holders;
