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
	seq  int64  // of the last entry; MaxInt64: the ledger is an older one, and nothing is written over what the file says
	at   int64  // when it was made
	code string // its code
}

// last gives the last entry that this process has made or seen; 0 where it follows no trace, or the ledger is known to be an older one.
func (t *trace) last() (seq int64, code string) {
	if t == nil {
		return 0, ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seq == 0 || t.seq == math.MaxInt64 {
		return 0, ""
	}
	return t.seq, t.code
}

// traceForm is a line of fixed length: it is written over the one before.
const traceForm = "entry %019d at %019d code %s\n"

// Older says that a ledger is an older one.
type Older struct {
	Last  time.Time // of its last entry
	Until time.Time // until when drpd worked on the newer one
}

// Follow keeps the trace of the ledger in a file from now on. Where the file says that the ledger is an older one, the trace is left as it is
// until Retrace is called. It may be called again, and reads the file anew: another server may answer now, which has not all that was stored.
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
	now := &trace{file: file}
	was := l.trace.Swap(now)
	if _, err := fmt.Sscanf(string(b), traceForm, &seq, &at, &code); err != nil { // there was none, or a power cut took it
		seq = 0
	}
	if was != nil {
		if err := was.file.Close(); err != nil {
			return nil, fmt.Errorf("trace of the ledger: %w", err)
		}
		if last, _ := was.last(); last > seq { // the file could not be written
			seq, at, code = last, was.at, was.code
		}
	}
	if seq == 0 {
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
		now.mu.Lock()
		now.seq = math.MaxInt64
		now.mu.Unlock()
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
		now := l.trace.Load()
		now.mu.Lock()
		now.seq = 0
		now.mu.Unlock()
		if err := now.write(last); err != nil || last.Seq == 0 {
			return err
		}
		return now.file.Sync()
	})
}

// came writes down the last entry of a transaction that was committed. Where it cannot, the trace is behind until the next.
func (l *Ledger) came(e *audit.Entry) {
	if t := l.trace.Load(); e != nil && t != nil { // only who follows it makes entries at that time
		_ = t.write(*e)
	}
}

func (t *trace) write(e audit.Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Seq <= t.seq { // a later one has come first
		return nil
	}
	t.seq, t.at, t.code = e.Seq, e.At, e.Code
	if _, err := t.file.WriteAt(fmt.Appendf(nil, traceForm, e.Seq, e.At, e.Code), 0); err != nil {
		return fmt.Errorf("trace of the ledger: %w", err)
	}
	return nil
}
