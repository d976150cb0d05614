package ledger

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	maxBatch     = 100     // statements
	maxBatchSize = 1 << 20 // bytes of what they carry
)

// batch is statements of a transaction that are said together, in their order: each by itself costs a message there and back.
type batch struct {
	statements []statement
	size       int
}

type statement struct {
	query string
	args  []any
}

// batcher says statements on a driver's connection.
type batcher func(ctx context.Context, connection any, statements []statement) error

func (b *batch) add(query string, args []any) {
	b.statements = append(b.statements, statement{query, args})
	for _, arg := range args {
		switch v := arg.(type) {
		case []byte:
			b.size += len(v)
		case string:
			b.size += len(v)
		}
	}
}

func (b *batch) full() bool { return len(b.statements) >= maxBatch || b.size > maxBatchSize }

// say says what is still to be said.
func (t *tx) say() error {
	if len(t.late.statements) == 0 {
		return nil
	}
	statements := t.late.statements
	t.late = batch{}
	if err := t.conn.Raw(func(c any) error { return t.l.engine.together(t.ctx, c, statements) }); err != nil {
		t.broken = cmp.Or(t.broken, t.l.engine.failed(err))
		return t.broken
	}
	return nil
}

// postgresTogether implements batcher.
func postgresTogether(ctx context.Context, connection any, statements []statement) error {
	c, ok := connection.(*stdlib.Conn)
	if !ok {
		return fmt.Errorf("a connection of %T is none of PostgreSQL", connection)
	}
	b := &pgx.Batch{}
	for _, s := range statements {
		args := make([]any, len(s.args))
		for i, arg := range s.args { // a named type becomes what it is of
			v, err := driver.DefaultParameterConverter.ConvertValue(arg)
			if err != nil {
				return err
			}
			args[i] = v
		}
		b.Queue(s.query, args...)
	}
	results := c.Conn().SendBatch(ctx, b)
	for range statements {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // it says the same
			return err
		}
	}
	return results.Close()
}
