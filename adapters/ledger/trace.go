package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"drpd/core/audit"
)

// A trace is a small file outside of the ledger that says how far the ledger has come: its last audit entry, and when that was made. A ledger
// that does not hold that entry was put back from an older copy. It is written after each transaction, and may be behind the ledger by what a
// power cut took; never ahead of it.
type trace struct {
	mu   sync.Mutex
	file *os.File
	seq  int64
}

// traceForm is a line of fixed length: it is written over the one before.
const traceForm = "entry %019d at %019d code %s\n"

// Older says that a ledger is an older one.
type Older struct {
	Last  time.Time // of its last entry
	Until time.Time // until when drpd worked on the newer one
}

// Follow keeps the trace of the ledger in a file from now on. Where the file says that the ledger is an older one, the trace is left as it is
// until Retrace is called.
func (l *Ledger) Follow(ctx context.Context, path string) (*Older, error) {
	var seq, at int64
	var code string
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("trace of the ledger: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(file, 1<<10))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("trace of the ledger: %w", err), file.Close())
	}
	l.trace = &trace{file: file}
	if _, err := fmt.Sscanf(string(b), traceForm, &seq, &at, &code); err != nil { // there was none, or a power cut took it
		return nil, l.Retrace(ctx)
	}
	var older *Older
	err = l.tx(ctx, func(t *tx) error {
		var have, last audit.Entry
		if _, err := t.get(&have, `SELECT code FROM audit WHERE seq = ?`, seq); err != nil || have.Code == code {
			return err
		}
		_, err := t.get(&last, `SELECT seq, at FROM audit ORDER BY seq DESC LIMIT 1`)
		older = &Older{Last: time.UnixMilli(last.At).UTC(), Until: time.UnixMilli(at).UTC()}
		return err
	})
	if err != nil || older != nil {
		l.trace.seq = math.MaxInt64 // nothing is written over it
		return older, err
	}
	return nil, l.Retrace(ctx)
}

// Retrace begins the trace anew with what the ledger holds now.
func (l *Ledger) Retrace(ctx context.Context) error {
	return l.tx(ctx, func(t *tx) error {
		last, err := t.lastEntry()
		if err != nil {
			return err
		}
		l.trace.seq = 0
		if err := l.trace.write(last); err != nil || last.Seq == 0 {
			return err
		}
		return l.trace.file.Sync()
	})
}

// came writes down the last entry of a transaction that was committed. Where it cannot, the trace is behind until the next.
func (l *Ledger) came(e *audit.Entry) {
	if e != nil && l.trace != nil { // only who follows it makes entries at that time
		_ = l.trace.write(*e)
	}
}

func (t *trace) write(e audit.Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Seq <= t.seq { // a later one has come first
		return nil
	}
	if _, err := t.file.WriteAt(fmt.Appendf(nil, traceForm, e.Seq, e.At, e.Code), 0); err != nil {
		return fmt.Errorf("trace of the ledger: %w", err)
	}
	t.seq = e.Seq
	return nil
}
