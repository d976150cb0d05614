-- +goose Up
UPDATE dispute SET decided_on = 0 WHERE NOT closed;
-- +goose Down
UPDATE dispute SET decided_on = 0 WHERE NOT closed;
