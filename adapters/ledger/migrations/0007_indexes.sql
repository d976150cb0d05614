-- +goose Up
CREATE INDEX evidence_of ON evidence (dispute, state, learned, id);
CREATE INDEX dispute_child_of ON dispute_child (dispute, child);
DROP INDEX evidence_dispute;
-- +goose Down
CREATE INDEX evidence_dispute ON evidence (dispute);
DROP INDEX dispute_child_of;
DROP INDEX evidence_of;
