-- +goose Up
ALTER TABLE delivery ADD COLUMN route TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE delivery DROP COLUMN route;
