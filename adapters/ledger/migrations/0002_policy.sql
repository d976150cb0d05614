-- +goose Up
CREATE TABLE policy (digest TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL);
-- +goose Down
DROP TABLE policy;
