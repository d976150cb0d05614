-- +goose Up
UPDATE effect SET life = 'failed' WHERE life = 'accepted' AND kind <> 'email'
  AND EXISTS (SELECT 1 FROM delivery WHERE effect = effect.key AND life = 'failed')
  AND NOT EXISTS (SELECT 1 FROM delivery WHERE effect = effect.key AND life = 'accepted');
-- +goose Down
SELECT 1;
