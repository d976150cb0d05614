-- +goose Up
ALTER TABLE dispute ADD COLUMN look_again BIGINT NOT NULL DEFAULT 0;
CREATE INDEX effect_settled ON effect (settled_at);
-- +goose Down
DROP INDEX effect_settled;
ALTER TABLE dispute DROP COLUMN look_again;
