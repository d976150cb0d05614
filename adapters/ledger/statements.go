package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

const (
	maxStatements = 300                   // more than the ledger has: one that is made up for each call must not fill the memory
	keepTime      = 50 * time.Millisecond // for which a connection is waited for to prepare statements
)

// statements are those that were said in more than one transaction, prepared for the next ones: to prepare them anew costs more than to
// say them.
type statements struct {
	mu   sync.Mutex
	said map[string]bool       // true: more than once, and prepared or about to be
	kept map[string]*sqlx.Stmt // prepared
}

func newStatements() *statements {
	return &statements{said: make(map[string]bool), kept: make(map[string]*sqlx.Stmt)}
}

// of gives a statement that is kept, or nil.
func (s *statements) of(query string) *sqlx.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[query]
}

// again gives what a transaction has said, one before it had, and nobody prepares yet.
func (s *statements) again(said map[string]*sqlx.Stmt) (queries []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for query := range said {
		again, known := s.said[query]
		switch {
		case known && !again:
			s.said[query] = true
			queries = append(queries, query)
		case !known && len(s.said) < maxStatements:
			s.said[query] = false
		}
	}
	return queries
}

// keep prepares what a transaction has said and one before it had. What cannot be prepared at once, since another transaction has the
// connection, is prepared after a later one. No lock is held meanwhile: who has the connection asks for what is kept.
func (s *statements) keep(ctx context.Context, db *sqlx.DB, said map[string]*sqlx.Stmt) {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	for _, query := range s.again(said) {
		stmt, err := db.PreparexContext(ctx, db.Rebind(query)) //nolint:sqlclosecheck // it is kept, and closed with the ledger
		s.mu.Lock()
		if s.said[query] = err == nil; err == nil {
			s.kept[query] = stmt
		}
		s.mu.Unlock()
	}
}

// close gives up all that are kept.
func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.kept {
		_ = stmt.Close()
	}
	clear(s.kept)
}
