-- +goose Up
ALTER TABLE dispute ADD COLUMN look_again BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE dispute DROP COLUMN look_again;
