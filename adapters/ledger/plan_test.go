package ledger_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"drpd/adapters/ledger"
	"drpd/core/drp"
	"drpd/core/port"
)

// listening is a connection that keeps every statement which is said on it.
type listening struct {
	sqldriver.Conn
	said *[]string
}

func (c listening) PrepareContext(ctx context.Context, query string) (sqldriver.Stmt, error) {
	*c.said = append(*c.said, query)
	return c.Conn.(sqldriver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c listening) BeginTx(ctx context.Context, o sqldriver.TxOptions) (sqldriver.Tx, error) {
	return c.Conn.(sqldriver.ConnBeginTx).BeginTx(ctx, o)
}

type listener struct {
	sqldriver.Connector
	said *[]string
}

func (l listener) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := l.Connector.Connect(ctx)
	return listening{c, l.said}, err
}

// What is said once for each dispute or each piece of evidence looks at that one's rows alone, by the planner's own word:
// the time of a first poll, and of each new day, grows with the number of disputes and not with its square.
func TestPlans(t *testing.T) {
	var said []string
	inner, err := (&driver.SQLite{}).OpenConnector("file:" + filepath.Join(t.TempDir(), "state.db") + "?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(listener{inner, &said})
	l, err := ledger.OpenSQLiteOn(t.Context(), db, key(1), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	said = nil
	begin(t, l)
	ctx, ref := t.Context(), "C-AAAAAA"
	row := func(id string) drp.Evidence {
		return drp.Evidence{ID: id, Source: "care-first", Kind: drp.Row, Key: id, Learned: noon, Body: []byte("x")}
	}
	e := drp.Effect{Dispute: ref, Kind: drp.Email, Reason: drp.ReasonAlert, To: []string{"tm"}}.Keyed("one")
	to := port.Envelope{Key: e.Key, Dispute: ref, Person: "p", Role: "tm", At: noon, IsTo: true}
	steps := []error{
		l.Ingest(ctx, "care-first", []drp.Evidence{row("e2"), row("e3"), row("e4")}, nil, noon),
		l.Place(ctx, port.Placement{Evidence: "e4", Where: port.PlaceDispute, Dispute: "C-BBBBBB", Policy: "p", Record: "2", Now: noon,
			New: &drp.Dispute{Ref: "C-BBBBBB", Form: "f", Forms: []string{"f"}, Record: "2"}}),
		l.Place(ctx, port.Placement{Evidence: "e2", Where: port.PlaceDispute, Dispute: ref, Children: []string{"20401"}, Record: "1", Theme: "t",
			Now: noon}),
		l.Place(ctx, port.Placement{Evidence: "e3", Where: port.PlacePeople, Children: []string{"20401"}, Now: noon,
			Became: []port.Became{{Effect: e.Key, Person: "p", Returned: true}}}),
		second(l.People(ctx, []string{"20401", "20402"})),
		second(l.Reminded(ctx, noon)), second(l.SentSince(ctx, noon)),
	}
	s, err := l.Load(ctx, ref)
	steps = append(steps, err,
		l.Decide(ctx, []port.Decided{{Ref: ref, Basis: s.Revision, Effects: []drp.Effect{e}, Now: noon}}),
		l.Make(ctx, []port.Envelope{to}, noon),
		l.Hold(ctx, e.Key, "paused", "paused", noon),
		second(l.SettleAndClaim(ctx, nil, []port.Envelope{to}, noon)),
		second(l.SettleAndClaim(ctx, []port.Settled{{Key: e.Key, Person: "p", Life: drp.Accepted, Now: noon}}, nil, noon)))
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	slices.Sort(said)
	said = slices.Compact(said)
	if len(said) < 20 {
		t.Fatalf("%d statements were heard: %q", len(said), said)
	}
	for _, query := range slices.Clone(said) {
		for _, step := range plan(t, db, query) {
			scans := strings.HasPrefix(step, "SCAN ") && !strings.HasPrefix(step, "SCAN audit USING INDEX") // its last entry
			if scans || strings.Contains(step, "(state=?)") || strings.Contains(step, "(life=?)") {
				t.Errorf("%s\n\t%s", step, query)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func plan(t *testing.T, db *sql.DB, query string) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatal(query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
