package records

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"drpd/mapping"
)

// Found is what a look at the live system shows.
type Found struct {
	Problems []string // what must be mended before drpd can work, or is safe to leave alone
	Notes    []string // what is good to know
	Readable bool     // every relation can be read
}

// grants is what a login may do with one table or procedure: SELECT, INSERT, UPDATE, DELETE, EXECUTE.
type grants struct {
	user string // as a GRANT names it
	on   string // what a GRANT is on, where it is not the object itself
	may  map[string]bool
}

// asks looks a login's rights up in the catalogue.
type asks func(ctx context.Context, db *sqlx.DB, object string) (grants, error)

// CheckOnline looks at the live system: whether each relation and column is there and may be read, whether the change
// column has an index, whether notes can be written, and whether the login may do more than it needs.
func (s *System) CheckOnline(ctx context.Context) (out Found) {
	bad := func(format string, args ...any) { out.Problems = append(out.Problems, fmt.Sprintf(format, args...)) }
	if err := s.read.PingContext(ctx); err != nil {
		bad("%s", s.unanswered(err).Error())
		return out
	}
	var tables []string
	more := make(excess)
	defer func() { out.Problems = append(out.Problems, more.said()...) }()
	out.Readable = true
	for _, n := range s.m.Relations() {
		v, err := s.look(ctx)
		if err != nil {
			bad("%s", err.Error())
			out.Readable = false
			return out
		}
		_, err = v.query(n, n.Columns, part{"1 = 0", nil}.and(v.filter(n)))
		_ = v.tx.Rollback() // it only read
		if err != nil {
			bad("%s%s", err.Error(), stands(n))
			out.Readable = false
		}
		if err != nil && strings.HasSuffix(err.Error(), noTable) && !s.dialect.Hides {
			continue // there is nothing to grant on
		}
		for _, t := range n.Tables() {
			if !slices.Contains(tables, t) {
				tables = append(tables, t)
			}
		}
		if err == nil && n.Table != "" && n.Change != "" && s.dialect.index != nil {
			if ok, err := s.dialect.index(ctx, s.read, n.Table, n.Change); err != nil {
				bad("%s", s.fail(err, "the indexes of table %s cannot be looked at", n.Table).Error())
			} else if !ok {
				out.Notes = append(out.Notes, fmt.Sprintf("%s has no index that begins with %s: each poll reads the whole table; ask for one",
					n.Title(), n.Change))
			}
		}
	}
	if s.dialect.Untested {
		out.Notes = append(out.Notes, s.dialect.Name+": untested against a live server")
	}
	if o := s.options.Load(); o != nil && o.Isolation == sql.LevelSnapshot {
		out.Notes = append(out.Notes, "each reading has one view of the data (snapshot isolation)")
	} else if s.dialect.Snapshot != "" {
		out.Notes = append(out.Notes, "the database does not allow snapshot isolation: half of a change may be read, and the rest with the next "+
			"poll; ask for ALLOW_SNAPSHOT_ISOLATION ON")
	}
	if s.write != s.read && !s.another {
		out.Notes = append(out.Notes, "ApplicationIntent=ReadOnly counts for what is read; case notes go to the server that writes")
	}
	if s.dialect.grants == nil {
		return out
	}
	writes := s.writes()
	for _, t := range tables {
		if !writes || s.another || !strings.EqualFold(t, s.m.Notes.Table) { // else it is seen below
			s.granted(ctx, s.read, t, bad, more, "SELECT")
		}
	}
	if !writes {
		return out
	}
	n := s.m.Notes
	if n.Way == mapping.WayProcedure {
		s.granted(ctx, s.write, n.Table, bad, more, "SELECT")
		if g, err := s.dialect.executes(ctx, s.write, n.Procedure); err != nil {
			bad("%s", s.fail(err, "whether the login may execute %s cannot be found out", n.Procedure).Error())
		} else if !g.may["EXECUTE"] {
			bad("the login %s may not execute %s; run: GRANT EXECUTE ON "+s.dialect.Execute+" TO %s", g.user, n.Procedure,
				cmp.Or(g.on, n.Procedure), g.user)
		}
		return out
	}
	if s.granted(ctx, s.write, n.Table, bad, more, "SELECT", "INSERT") { // else its indexes may be out of sight
		if ok, err := s.dialect.unique(ctx, s.write, n.Table, n.Columns["reference"]); err != nil {
			bad("%s", s.fail(err, "the indexes of table %s cannot be looked at", n.Table).Error())
		} else if !ok {
			bad("table %s has no unique index on %s: without one a note could be there twice after a broken connection; run: CREATE UNIQUE INDEX "+
				"drpd_reference ON %s (%s)", n.Table, n.Columns["reference"], n.Table, n.Columns["reference"])
		}
	}
	return out
}

// granted compares what a login may do with a table with what it must, and says whether it may do that.
func (s *System) granted(ctx context.Context, db *sqlx.DB, table string, bad func(string, ...any), more excess, want ...string) (all bool) {
	g, err := s.dialect.grants(ctx, db, table)
	if err != nil {
		bad("%s", s.fail(err, "what the login may do with %s cannot be found out", table).Error())
		return false
	}
	all = true
	for _, w := range want {
		if !g.may[w] {
			all = false
			bad("the login %s may not %s %s; run: GRANT %s ON %s TO %s", g.user, strings.ToLower(w), table, w, table, g.user)
		}
	}
	var also []string
	for _, have := range privileges {
		if g.may[have] && have != "SELECT" && !slices.Contains(want, have) {
			also = append(also, strings.ToLower(have))
		}
	}
	if len(also) > 0 {
		at := rights{g.user, strings.Join(also, ", ")}
		more[at] = append(more[at], table)
	}
	return all
}

// rights are what a login may do that drpd never does.
type rights struct{ user, may string }

// excess gives the tables with which a login may do more than it needs.
type excess map[rights][]string

func (e excess) said() (out []string) {
	for r, tables := range e {
		slices.Sort(tables)
		out = append(out, fmt.Sprintf("the login %s may %s %s, which drpd never does: give it a login that can do only what it needs", r.user,
			r.may, strings.Join(slices.Compact(tables), ", ")))
	}
	slices.Sort(out)
	return out
}

var privileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}

func postgresGrants(ctx context.Context, db *sqlx.DB, table string) (g grants, err error) {
	if g, err = postgresUser(ctx, db); err != nil {
		return g, err
	}
	for _, p := range privileges {
		var may bool
		if err := db.GetContext(ctx, &may, `SELECT has_table_privilege($1, $2)`, table, p); err != nil {
			return g, err
		}
		g.may[p] = may
	}
	return g, nil
}

func postgresUser(ctx context.Context, db *sqlx.DB) (grants, error) {
	g := grants{may: make(map[string]bool)}
	err := db.GetContext(ctx, &g.user, `SELECT quote_ident(current_user)`)
	return g, err
}

func postgresExecutes(ctx context.Context, db *sqlx.DB, procedure string) (g grants, err error) {
	if g, err = postgresUser(ctx, db); err != nil {
		return g, err
	}
	var may bool
	err = db.GetContext(ctx, &may, `SELECT coalesce(bool_or(has_function_privilege(p.oid, 'EXECUTE')), false) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE lower(p.proname) = lower($1) OR lower(n.nspname || '.' || p.proname) = lower($1)`, procedure)
	g.may["EXECUTE"] = may
	return g, err
}

func postgresIndex(unique bool) finder {
	return func(ctx context.Context, db *sqlx.DB, table, column string) (ok bool, err error) {
		err = db.GetContext(ctx, &ok, `SELECT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = to_regclass($1) AND c.relkind NOT IN ('r', 'p'))
			OR EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			WHERE i.indrelid = to_regclass($1) AND lower(a.attname) = lower($2) AND (NOT $3 OR i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL))`, table, column, unique)
		return ok, err
	}
}

// mariadbGrants reads what was granted to the login itself and to the roles that are on.
func mariadbGrants(ctx context.Context, db *sqlx.DB, table string) (g grants, err error) {
	g, schema, name, err := mariadbUser(ctx, db, table)
	if err != nil {
		return g, err
	}
	roles := `(grantee = ? OR grantee IN (SELECT concat('''', role_name, '''@''''') FROM information_schema.enabled_roles WHERE role_name IS NOT NULL)
		OR grantee IN (SELECT role_name FROM information_schema.enabled_roles WHERE role_name IS NOT NULL))`
	var have []string
	err = db.SelectContext(ctx, &have, `SELECT privilege_type FROM information_schema.user_privileges WHERE `+roles+`
		UNION SELECT privilege_type FROM information_schema.schema_privileges WHERE `+roles+` AND ? LIKE table_schema
		UNION SELECT privilege_type FROM information_schema.table_privileges WHERE `+roles+` AND table_schema = ? AND lower(table_name) = lower(?)`,
		g.user, g.user, schema, g.user, schema, name)
	for _, p := range have {
		g.may[strings.ToUpper(p)] = true
	}
	return g, err
}

// mariadbUser gives the login as a GRANT names it, and the schema and name of an object.
func mariadbUser(ctx context.Context, db *sqlx.DB, object string) (g grants, schema, name string, err error) {
	g.may = make(map[string]bool)
	if err := db.GetContext(ctx, &g.user, `SELECT current_user()`); err != nil {
		return g, "", "", err
	}
	if name, host, ok := strings.Cut(g.user, "@"); ok {
		g.user = "'" + name + "'@'" + host + "'"
	}
	if schema, name, ok := strings.Cut(object, "."); ok {
		return g, schema, name, nil
	}
	err = db.GetContext(ctx, &schema, `SELECT database()`)
	return g, schema, object, err
}

// mariadbExecutes reads the grants as they are shown: no view holds those of one procedure.
func mariadbExecutes(ctx context.Context, db *sqlx.DB, procedure string) (g grants, err error) {
	g, schema, name, err := mariadbUser(ctx, db, procedure)
	if err != nil {
		return g, err
	}
	var shown []string
	if err := db.SelectContext(ctx, &shown, `SHOW GRANTS`); err != nil {
		return g, err
	}
	for _, line := range shown {
		what, on, _ := strings.Cut(strings.ToLower(line), " on ")
		on, _, _ = strings.Cut(on, " to ")
		here := []string{"*.*", "`" + strings.ToLower(schema) + "`.*", "`" + strings.ToLower(strings.ReplaceAll(schema, "_", `\_`)) + "`.*",
			"procedure `" + strings.ToLower(schema) + "`.`" + strings.ToLower(name) + "`"}
		if slices.Contains(here, on) && (strings.Contains(what, "execute") || strings.Contains(what, "all privileges")) {
			g.may["EXECUTE"] = true
		}
	}
	return g, nil
}

func mariadbIndex(unique bool) finder {
	return func(ctx context.Context, db *sqlx.DB, table, column string) (ok bool, err error) {
		schema, name, whole := strings.Cut(table, ".")
		if !whole {
			schema, name = "", table
		}
		err = db.GetContext(ctx, &ok, `SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = coalesce(nullif(?, ''), database()) AND table_name = ? AND table_type <> 'BASE TABLE')
			OR EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = coalesce(nullif(?, ''), database()) AND s.table_name = ? AND s.column_name = ? AND s.seq_in_index = 1
			AND (NOT ? OR s.non_unique = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.statistics m WHERE m.table_schema = s.table_schema AND m.table_name = s.table_name AND m.index_name = s.index_name AND m.seq_in_index = 2)))`,
			schema, name, schema, name, column, unique)
		return ok, err
	}
}

// sqliteIndex asks the pragmas; what a login may do is the file's mode.
func sqliteIndex(ctx context.Context, db *sqlx.DB, table, column string) (ok bool, err error) {
	err = db.GetContext(ctx, &ok, `SELECT EXISTS (SELECT 1 FROM pragma_table_list(?) WHERE type = 'view')
		OR EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE pk = 1 AND lower(name) = lower(?))
		OR EXISTS (SELECT 1 FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i ON i.seqno = 0 WHERE lower(i.name) = lower(?))`, table, table, column, table, column)
	return ok, err
}
