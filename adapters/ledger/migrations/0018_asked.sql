-- +goose Up
ALTER TABLE lease ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE lease DROP COLUMN asked;
