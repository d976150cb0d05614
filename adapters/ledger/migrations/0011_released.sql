-- +goose Up
ALTER TABLE effect ADD COLUMN released BOOLEAN NOT NULL DEFAULT FALSE;
-- +goose Down
ALTER TABLE effect DROP COLUMN released;
