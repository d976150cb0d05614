package records_test

import (
	"database/sql"
	"database/sql/driver"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"drpd/adapters/records"
	"drpd/mapping"
)

func mosaic(t *testing.T, procedure string) *mapping.System {
	t.Helper()
	m, err := mapping.LoadSystem(os.DirFS("testdata"), "statements.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if procedure != "" {
		m.Notes = mapping.NoteTable{Way: mapping.WayProcedure, Procedure: procedure, Arguments: []string{"text", "reference"},
			Table: "DRPD_CASE_NOTES", Columns: map[string]string{"reference": "DRPD_REF", "text": "NOTE_TEXT"}}
	}
	return m
}

// The check of SQL Server and of Oracle looks rights, indexes and procedures up in their own catalogues, and prints the
// GRANT that each engine takes.
func TestCheckStatements(t *testing.T) {
	for _, tt := range []struct {
		engine        string
		may, may2     map[string]driver.Value // what the catalogue says where all is granted, and where nothing is
		select2, call string
	}{
		{"sqlserver",
			map[string]driver.Value{"QUOTENAME": "[drpd]", "HAS_PERMS": int64(1), "CASE WHEN": int64(1)},
			map[string]driver.Value{"QUOTENAME": "[drpd]", "HAS_PERMS": int64(0), "CASE WHEN": int64(0)},
			"the login [drpd] may not select DM_PERSONS; run: GRANT SELECT ON DM_PERSONS TO [drpd]",
			"the login [drpd] may not execute dbo.ADD_NOTE; run: GRANT EXECUTE ON OBJECT::dbo.ADD_NOTE TO [drpd]"},
		{"oracle",
			map[string]driver.Value{"USER": "DRPD", "PRIVILEGE": "SELECT ANY TABLE", "CASE WHEN": "1", "OWNER": "DRPD", "NAME": "X", "FAR": "1"},
			map[string]driver.Value{"USER": "drpd", "PRIVILEGE": "ALTER", "CASE WHEN": "0", "OWNER": "MOSAIC", "NAME": "X", "FAR": "1"},
			`the login "drpd" may not select DM_PERSONS; run: GRANT SELECT ON DM_PERSONS TO "drpd"`,
			`the login "drpd" may not execute dbo.ADD_NOTE; run: GRANT EXECUTE ON dbo.ADD_NOTE TO "drpd"`},
	} {
		t.Run(tt.engine, func(t *testing.T) {
			var said []string
			look := func(m *mapping.System, holds map[string]driver.Value) records.Found {
				t.Helper()
				server := &teller{holds: holds}
				s, err := records.OpenOn(tt.engine, "mosaic", sql.OpenDB(server), m)
				if err != nil {
					t.Fatal(err)
				}
				found := s.CheckOnline(t.Context())
				for _, say := range server.told {
					if !slices.Contains(said, say) && !strings.Contains(say, "WHERE 1 = 0") {
						said = append(said, say)
					}
				}
				return found
			}
			may := look(mosaic(t, ""), tt.may)
			if slices.ContainsFunc(may.Problems, func(p string) bool { return !strings.Contains(p, "which drpd never does") }) {
				t.Errorf("all is granted: %q", may.Problems)
			}
			not := look(mosaic(t, "dbo.ADD_NOTE"), tt.may2)
			for _, want := range []string{tt.select2, tt.call} {
				if !slices.Contains(not.Problems, want) {
					t.Errorf("not said: %s\nbut %q", want, not.Problems)
				}
			}
			if !slices.ContainsFunc(not.Notes, func(n string) bool {
				return strings.HasPrefix(n, "table DRP_REASSIGNMENTS has no index that begins with ASSIGNED_ON")
			}) {
				t.Errorf("a missing index is not said: %q", not.Notes)
			}
			got := strings.Join(said, "\n") + "\n"
			file := filepath.Join("testdata", "check-"+tt.engine+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != got {
				t.Errorf("what is asked has changed (-update writes it anew): %v\n%s", err, got)
			}
		})
	}
}

// A procedure in a package is granted with the package, and one that nobody sees by the name that the mapping has.
func TestOraclePackage(t *testing.T) {
	server := &teller{holds: map[string]driver.Value{"USER": "DRPD", "PRIVILEGE": "READ", "CASE WHEN": "1", "OWNER": "MOSAIC", "NAME": "X", "FAR": "1"}}
	server.empty = func(query string, args []driver.NamedValue) bool {
		return strings.Contains(query, "ALL_OBJECTS") && args[1].Value == "ADD_NOTE"
	}
	s, err := records.OpenOn("oracle", "mosaic", sql.OpenDB(server), mosaic(t, "NOTES.ADD_NOTE"))
	if err != nil {
		t.Fatal(err)
	}
	want := "the login DRPD may not execute NOTES.ADD_NOTE; run: GRANT EXECUTE ON NOTES TO DRPD"
	if found := s.CheckOnline(t.Context()); !slices.Equal(found.Problems, []string{want}) { // READ is enough for the tables
		t.Errorf("%q", found.Problems)
	}
}

// A table that Oracle says is not there may be one that the login may not read: the GRANT is printed all the same.
func TestOracleHides(t *testing.T) {
	server := &teller{holds: map[string]driver.Value{"USER": "DRPD", "PRIVILEGE": "ALTER", "CASE WHEN": "1", "OWNER": "MOSAIC", "NAME": "X", "FAR": "1"}}
	server.fails = func(query string) error {
		if strings.Contains(query, "FROM DM_PERSONS q") {
			return oracleError(942)
		}
		return nil
	}
	s, err := records.OpenOn("oracle", "mosaic", sql.OpenDB(server), mosaic(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := "the login DRPD may not select DM_PERSONS; run: GRANT SELECT ON DM_PERSONS TO DRPD"
	if found := s.CheckOnline(t.Context()); !slices.Contains(found.Problems, want) {
		t.Errorf("%q", found.Problems)
	}
}

// A reading of SQL Server has one view of the data where the database allows it, which is asked for once; where a database
// behind a view does not, the next reading goes without. Writing is not touched by it.
func TestSnapshot(t *testing.T) {
	const ask, with, without = "SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()", "BEGIN isolation Snapshot read only false",
		"BEGIN isolation Default read only false"
	count := func(told []string, what string) (n int) {
		for _, say := range told {
			if say == what {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		state         int64
		barred        int32
		begins, other string
		note          string
	}{
		{1, 0, with, without, "each reading has one view of the data (snapshot isolation)"},
		{0, 0, without, with, "the database does not allow snapshot isolation: "},
		{1, 3952, without, "none", "the database does not allow snapshot isolation: "},
	} {
		server := &teller{holds: map[string]driver.Value{"snapshot_isolation_state": tt.state}}
		if tt.barred != 0 {
			server.fails = func(query string) error {
				if strings.Contains(query, "SELECT MAX(") || strings.Contains(query, "SELECT q.*") {
					return mssql.Error{Number: tt.barred}
				}
				return nil
			}
		}
		s, err := records.OpenOn("sqlserver", "mosaic", sql.OpenDB(server), mosaic(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		_, cursor, err := s.Poll(t.Context(), nil, noon)
		if barred := tt.barred != 0; barred != (err != nil) || barred && !strings.Contains(err.Error(), "from now on it is read without") {
			t.Errorf("%+v: %v", tt, err)
		}
		server.fails = nil
		for i := range 2 {
			if _, cursor, err = s.Poll(t.Context(), cursor, noon.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Error(err)
			}
		}
		if count(server.told, ask) != 1 || count(server.told, tt.begins) < 2 || count(server.told, tt.other) > 0 {
			t.Errorf("%+v: %q", tt, server.told)
		}
		if found := s.CheckOnline(t.Context()); !slices.ContainsFunc(found.Notes, func(n string) bool { return strings.HasPrefix(n, tt.note) }) {
			t.Errorf("%+v: %q", tt, found.Notes)
		}
		server.told = nil
		_ = s.WriteNotes(t.Context(), batchOf("effect-1"))
		if count(server.told, "BEGIN isolation Read Committed read only false") == 0 || count(server.told, with) != 0 {
			t.Errorf("a writing begins otherwise: %q", server.told)
		}
	}
}

// ApplicationIntent=ReadOnly goes with what is read, and never with what is written; it wants TLS, since the server may send
// drpd on to another machine.
func TestApplicationIntent(t *testing.T) {
	config, ca := certified(t)
	for _, tt := range []struct {
		intent, way   string
		as            bool // another login writes
		read, written bool // as the server sees the logins
	}{
		{"&ApplicationIntent=ReadOnly", mapping.WayWorklist, false, true, false},
		{"&applicationintent=readonly", mapping.WayStaging, false, true, false},
		{"&ApplicationIntent=ReadOnly", mapping.WayStaging, true, true, false},
		{"", mapping.WayStaging, false, false, false},
	} {
		var peer tds
		dsn := "sqlserver://u:p@" + peer.serveTLS(t, config) + "?encrypt=strict&database=x&certificate=" + ca + tt.intent
		m := mosaic(t, "")
		m.Notes.Way = tt.way
		s, err := records.Open("sqlserver", "mosaic", dsn, m)
		if err != nil {
			t.Fatal(err)
		}
		if tt.as {
			if err := s.WriteAs(dsn); err != nil {
				t.Fatal(err)
			}
		}
		_, _, _ = s.Poll(t.Context(), nil, noon) // it is no server that has tables
		if read := peer.logins(); len(read) == 0 || slices.Contains(read, !tt.read) {
			t.Errorf("%+v: reading logs in with %v", tt, read)
		}
		if tt.way != mapping.WayWorklist {
			_ = s.WriteNotes(t.Context(), batchOf("effect-1"))
		}
		own := tt.read && tt.way != mapping.WayWorklist // it has connections of its own
		if written := peer.logins(); own != (len(written) > 0) || slices.Contains(written, !tt.written) {
			t.Errorf("%+v: writing logs in with %v", tt, written)
		}
		told := slices.ContainsFunc(s.CheckOnline(t.Context()).Notes,
			func(n string) bool { return strings.HasPrefix(n, "ApplicationIntent=ReadOnly counts for what is read") })
		if want := tt.read && tt.way != mapping.WayWorklist && !tt.as; told != want {
			t.Errorf("%+v: the check says so: %v", tt, told)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for dsn, want := range map[string]string{
		"sqlserver://u:Canary@127.0.0.1?encrypt=disable&database=x&ApplicationIntent=ReadOnly":         "without TLS",
		"sqlserver://u:Canary@db.council.example?encrypt=true&ApplicationIntent=ReadOnly":              "ApplicationIntent=ReadOnly wants database=NAME",
		"sqlserver://u:Canary@db.council.example?encrypt=true&applicationintent=READONLY":              "ApplicationIntent=ReadOnly wants database=NAME",
		"server=db.council.example;user id=u;password=Canary;encrypt=true;application intent=ReadOnly": "ApplicationIntent=ReadOnly wants database=NAME",
	} {
		if _, err := records.Open("sqlserver", "mosaic", dsn, mosaic(t, "")); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// An account that is none of the server's own is refused where this program cannot log in with it, and its secret is never
// sent as a password.
func TestWindowsAccounts(t *testing.T) {
	const entra, kerberos, other, windows = "Entra's accounts (fedauth), which are not built in", "Kerberos (authenticator=krb5), which is not built in",
		"an authenticator that is not built in", "a Windows account (DOMAIN\\user, or no user), with which drpd logs in on Windows alone"
	const host = "db.council.example?encrypt=true"
	for _, tt := range []struct{ dsn, elsewhere, onWindows string }{
		{"sqlserver://u:Canary@" + host, "", ""},
		{"sqlserver://u:Canary@" + host + "&fedauth=ActiveDirectoryPassword", entra, entra},
		{"sqlserver://u:Canary@" + host + "&FedAuth=ActiveDirectoryServicePrincipal", entra, entra},
		{"server=db.council.example;user id=u;password=Canary;encrypt=true;Authentication=ActiveDirectoryPassword", entra, entra},
		{"server=db.council.example;user id=u;password=Canary;encrypt=true;Authentication=SqlPassword", "", ""},
		{"sqlserver://u:Canary@" + host + "&authenticator=krb5", kerberos, kerberos},
		{"sqlserver://u:Canary@" + host + "&authenticator=ntlm", other, other},
		{"sqlserver://" + host + "&authenticator=winsspi", other, ""},
		{"sqlserver://COUNCIL%5Cu:Canary@" + host, windows, ""},
		{`server=db.council.example;user id=COUNCIL\u;password=Canary;encrypt=true`, windows, ""},
		{"server=db.council.example;encrypt=true;integrated security=SSPI", windows, ""},
		{"sqlserver://" + host, windows, ""},
	} {
		for at, want := range map[bool]string{false: tt.elsewhere, true: tt.onWindows} {
			err := records.WindowsAccount(tt.dsn, at)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Canary")) {
				t.Errorf("%s, Windows %v: %v, want %q", tt.dsn, at, err, want)
			}
		}
	}
	if _, err := records.Open("sqlserver", "r", "sqlserver://u:Canary@"+host+"&fedauth=ActiveDirectoryPassword", mosaic(t, "")); err == nil ||
		!strings.Contains(err.Error(), entra) {
		t.Errorf("it is opened: %v", err)
	}
}
