-- +goose Up
CREATE TABLE absence (person TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, returned BOOLEAN NOT NULL, address TEXT NOT NULL, evidence TEXT NOT NULL, PRIMARY KEY (person, evidence));
-- +goose Down
DROP TABLE absence;
