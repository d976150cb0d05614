package ledger_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

// BenchmarkDurable decides a hundred disputes, each with three effects, and takes in one event, until each is on the disk; and in turn writes
// as many bytes in bare rows with a bare commit.
func BenchmarkDurable(b *testing.B) {
	const rounds, group = 15, 100
	l, err := ledger.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "state.db"), key(1), time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	raw, err := driver.Open("file:" + filepath.Join(b.TempDir(), "bare.db") +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=page_size(16384)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	bare := sqlx.NewDb(raw, "sqlite3")
	b.Cleanup(func() { _ = bare.Close() })
	if _, err := bare.ExecContext(b.Context(), `CREATE TABLE kept (id TEXT PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 300)
	_, _ = rand.Read(body)
	rows := func(name string, n int) {
		b.Helper()
		tx, err := bare.BeginTxx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		insert, err := tx.PreparexContext(b.Context(), `INSERT INTO kept VALUES (?, ?)`) //nolint:sqlclosecheck // the transaction closes it
		for i := 0; i < n && err == nil; i++ {
			_, err = insert.ExecContext(b.Context(), fmt.Sprintf("%s/%d", name, i), body)
		}
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var decided, written, event, commit []float64
	timed := func(of *[]float64, do func()) {
		began := time.Now()
		do()
		*of = append(*of, time.Since(began).Seconds())
	}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	for round := range rounds {
		var batch []port.Decided
		for i := range group {
			ref := fmt.Sprintf("C-%03dA%03d", round, i)
			ev := drp.Evidence{ID: ref, Source: "care-first", Kind: drp.Row, Key: ref, Learned: noon, Body: body}
			must(l.Ingest(b.Context(), "care-first", []drp.Evidence{ev}, nil, noon))
			must(l.Place(b.Context(), port.Placement{Evidence: ref, Where: port.PlaceDispute, Dispute: ref, Policy: "p", Now: noon,
				New: &drp.Dispute{Ref: ref, Form: "f", Forms: []string{"f"}}}))
			s, err := l.Load(b.Context(), ref)
			must(err)
			d := port.Decided{Ref: ref, Basis: s.Revision, Now: noon}
			for _, what := range []drp.EffectKind{drp.Email, drp.CaseNote, drp.FormCopy} {
				d.Effects = append(d.Effects, drp.Effect{Dispute: ref, Kind: what, Reason: drp.ReasonAlert, To: []string{"tm"}, On: 1, Due: 2}.Keyed(string(what)))
			}
			batch = append(batch, d)
		}
		timed(&decided, func() { must(l.Decide(b.Context(), batch)) })
		timed(&written, func() { rows(fmt.Sprint("group", round), 7*group) }) // a dispute, three effects and their entries
		ev := drp.Evidence{ID: fmt.Sprint("one", round), Source: "care-first", Kind: drp.Row, Key: "one", Learned: noon, Body: body}
		timed(&event, func() { must(l.Ingest(b.Context(), "care-first", []drp.Evidence{ev}, nil, noon)) })
		timed(&commit, func() { rows(fmt.Sprint("one", round), 1) })
	}
	median := func(all []float64) float64 {
		slices.Sort(all)
		return all[len(all)/2]
	}
	b.ReportMetric(0, "ns/op") // measured side by side
	b.ReportMetric(median(decided)*1e6/group, "µs/dispute")
	b.ReportMetric(median(written)/median(decided), "x-bare-commit")
	b.ReportMetric(median(event)/median(commit), "x-one-commit")
}
