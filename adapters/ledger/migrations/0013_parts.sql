-- +goose Up
ALTER TABLE evidence ADD COLUMN parts BIGINT NOT NULL DEFAULT 0;
CREATE TABLE evidence_part (evidence TEXT NOT NULL, n BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (evidence, n));
-- +goose Down
DROP TABLE evidence_part;
ALTER TABLE evidence DROP COLUMN parts;
