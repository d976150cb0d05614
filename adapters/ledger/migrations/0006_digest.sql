-- +goose Up
ALTER TABLE delivery ADD COLUMN carried TEXT NOT NULL DEFAULT '';
CREATE INDEX delivery_carried ON delivery (carried) WHERE carried <> '';
-- +goose Down
DROP INDEX delivery_carried;
ALTER TABLE delivery DROP COLUMN carried;
