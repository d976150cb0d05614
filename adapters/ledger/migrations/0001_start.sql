-- +goose Up
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE lease (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL, fence BIGINT NOT NULL);
CREATE TABLE seal (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE source (name TEXT PRIMARY KEY, cursor BLOB, read_at BIGINT NOT NULL DEFAULT 0, failed_since BIGINT NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '');
CREATE TABLE gap (source TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (source, since));
CREATE TABLE evidence (
  id TEXT PRIMARY KEY, source TEXT NOT NULL, kind TEXT NOT NULL, place_key TEXT NOT NULL, version TEXT NOT NULL,
  learned BIGINT NOT NULL, state TEXT NOT NULL, dispute TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
  sealed_by TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX evidence_dispute ON evidence (dispute);
CREATE INDEX evidence_state ON evidence (state);
CREATE TABLE evidence_child (evidence TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (child, evidence));
CREATE TABLE dispute (
  ref TEXT PRIMARY KEY, form TEXT NOT NULL, forms TEXT NOT NULL, record TEXT NOT NULL DEFAULT '', theme TEXT NOT NULL DEFAULT '',
  raised INTEGER NOT NULL, policy TEXT NOT NULL, revision BIGINT NOT NULL, decided_rev BIGINT NOT NULL DEFAULT 0,
  decided_on INTEGER NOT NULL DEFAULT 0, inputs TEXT NOT NULL DEFAULT '', closed INTEGER NOT NULL DEFAULT 0,
  ended INTEGER NOT NULL DEFAULT 0, resolved INTEGER NOT NULL DEFAULT 0, summary TEXT NOT NULL DEFAULT '{}', began BIGINT NOT NULL);
CREATE TABLE dispute_child (dispute TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (child, dispute));
CREATE TABLE conflict (dispute TEXT NOT NULL, id TEXT NOT NULL, what TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (dispute, id));
CREATE TABLE effect (
  key TEXT PRIMARY KEY, dispute TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, life TEXT NOT NULL, basis BIGINT NOT NULL,
  held_by TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '', decided_at BIGINT NOT NULL, made_at BIGINT NOT NULL DEFAULT 0,
  settled_at BIGINT NOT NULL DEFAULT 0, sealed_by TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX effect_dispute ON effect (dispute);
CREATE INDEX effect_life ON effect (life);
CREATE TABLE delivery (
  effect TEXT NOT NULL, person TEXT NOT NULL, place INTEGER NOT NULL, role TEXT NOT NULL, is_to INTEGER NOT NULL, with_form INTEGER NOT NULL,
  life TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL, not_before BIGINT NOT NULL DEFAULT 0,
  sealed_by TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (effect, person));
CREATE TABLE audit (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, code TEXT NOT NULL);
-- +goose Down
DROP TABLE audit;
