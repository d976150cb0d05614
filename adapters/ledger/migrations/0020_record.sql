-- +goose Up
CREATE INDEX dispute_record ON dispute (record);
-- +goose Down
DROP INDEX dispute_record;
