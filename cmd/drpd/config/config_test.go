package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drpd/cmd/drpd/config"
	"drpd/testdata"
)

// Every way of naming a mailbox, a record system and a state that cannot be meant is said at its line, with what would be
// right; those that can are taken.
func TestSources(t *testing.T) {
	b, err := fs.ReadFile(testdata.FS, "demo/drpd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const (
		live    = "go_live: 2026-10-19"
		box     = "folder: mail/in, "
		imap    = `imap: {server: "imap.fairshire.example:993", tls: implicit, user: drp@fairshire.example, folder: INBOX, `
		records = "engine: sqlite, file: carefirst.db, "
		state   = "file: state.db, "
		out     = "mail_out: {folder: mail/out, "
		relays  = `mail_out: {relays: [{name: internal, server: "relay.example:587", tls: starttls}], routes: [`
		carries = "{name: all, domains: [\"*\"], relay: internal, carries: papers"
		app     = "mailbox: drp@fairshire.example, oauth: {tenant: t, client_id: c, certificate_file: app.pem}"
		inbox   = "graph: {" + app + ", "
		graph   = "mail_out: {relays: [{name: internal, graph: {" + app + "}"
	)
	for name, tt := range map[string]struct{ from, to, want string }{
		"a witness's folder":     {live, live + "\naudit: {witness: ../witness}", ""},
		"a witness's server":     {live, live + "\naudit: {url_file: witness.url, ca_file: ca.pem}", ""},
		"a witness's address":    {live, live + "\naudit: {url_file: \"https://witness.example/anchors\"}", "name that in audit.url_file"},
		"two witnesses":          {live, live + "\naudit: {witness: ../witness, url_file: witness.url}", "one of the two"},
		"a folder's certificate": {live, live + "\naudit: {witness: ../witness, ca_file: ca.pem}", "ca_file goes with url_file"},
		"a password":             {box, imap + "password_file: p}, ", ""},
		"a token": {box, imap + "done_folder: Done, oauth: {tenant: t, client_id: c, secret_file: s, secret_expires: " +
			"2027-01-01}}, ", ""},
		"no address":            {"drp@fairshire.example, trusted", "drp.fairshire.example, trusted", `"drp.fairshire.example" is no email address`},
		"an address and a name": {"drp@fairshire.example, trusted", "\"Dispute <drp@fairshire.example>\", trusted", "is no email address"},
		"no host":               {"message_id_host: drpd.fairshire.example", "message_id_host: \"drpd fairshire\"", "is no name of a machine"},
		"no server":             {box, strings.Replace(imap, "imap.fairshire", "imap_.fair shire", 1) + "password_file: p}, ", "write it as host:993"},
		"no such port":          {box, strings.Replace(imap, ":993", ":99300", 1) + "password_file: p}, ", "write it as host:993"},
		"an alarm to nobody":    {live, live + "\nwatch: {alarm: {to: [duty], relay: {name: d, server: \"m.example:587\", tls: starttls}}}", `"duty" is no email address`},
		"a window that is left": {"send_window: {from: 8, until: 18}", "send_window:", ""},
		"a folder and a server": {box, box + imap + "password_file: p}, ", "one of the three"},
		"none of them":          {box, "", "one of the three"},
		"graph":                 {box, inbox + "folder: inbox, done_folder: Done}, ", ""},
		"graph and a server":    {box, imap + "password_file: p}, " + inbox + "folder: inbox}, ", "one of the three"},
		"graph, and no folder":  {box, inbox + "done_folder: Done}, ", `"mailbox.graph.folder" is missing`},
		"graph, done where they lie": {box, inbox + "folder: inbox, done_folder: Inbox}, ",
			"cannot be put away into the folder in which they lie"},
		"graph, no mailbox":       {box, strings.Replace(inbox, "drp@fairshire.example", "drp", 1) + "folder: inbox}, ", `"drp" is no email address`},
		"graph in the clear":      {box, inbox + "folder: inbox, url: \"http://x\"}, ", "Microsoft Graph is called over https only"},
		"graph, no application":   {box, "graph: {mailbox: a@b.example, folder: inbox}, ", `"mailbox.graph.oauth" is missing`},
		"graph, half of one":      {box, strings.Replace(inbox, "client_id: c, ", "", 1) + "folder: inbox}, ", `"mailbox.graph.oauth.client_id" is missing`},
		"a route by graph":        {out, graph + "}], routes: [" + carries + ", archive_lag_minutes: 5}], ", ""},
		"graph, no lag":           {out, graph + "}], routes: [" + carries + "}], ", "may not be in Sent Items yet"},
		"graph, large":            {out, graph + "}], routes: [" + carries + ", archive_lag_minutes: 5, size_limit_mb: 20}], ", "has less than 3 MB"},
		"graph and a mail server": {out, graph + `, server: "relay.example:587"}], routes: [` + carries + ", archive_lag_minutes: 5}], ", "or graph: one of the two"},
		"an alarm by graph": {live, live + "\nwatch: {alarm: {to: [a@b.example], relay: " + strings.TrimPrefix(graph, "mail_out: {relays: [") + "}}}",
			"an alarm goes by no mailbox of Microsoft 365"},
		"both ways to log in": {box, imap + "password_file: p, oauth: {tenant: t, client_id: c, secret_file: s, secret_expires: " +
			"2027-01-01}}, ", "give password_file, or oauth: one of the two"},
		"no way to log in": {box, imap + "}, ", "give password_file, or oauth: one of the two"},
		"in the clear": {box, strings.Replace(imap, "implicit", "none", 1) + "password_file: p}, ",
			`tls "none": say implicit (as on port 993) or starttls (as on port 143); there is no third way`},
		"no port":              {box, strings.Replace(imap, ":993", "", 1) + "password_file: p}, ", "write it as host:993"},
		"done where they lie":  {box, imap + "done_folder: INBOX, password_file: p}, ", "cannot be put away into the folder in which they lie"},
		"a secret without end": {box, imap + "oauth: {tenant: t, client_id: c, secret_file: s}}, ", `"secret_expires" is missing`},
		"a token over http": {box, imap + "oauth: {token_url: \"http://x\", scope: s, client_id: c, secret_file: s, secret_expires: " +
			"2027-01-01}}, ", "a token is asked for over https only"},
		"no tenant":           {box, imap + "oauth: {client_id: c, secret_file: s, secret_expires: 2027-01-01}}, ", `"tenant" is missing`},
		"routes":              {out, relays + "{domains: [x.example], never: retired}, " + carries + "}], ", ""},
		"a folder and routes": {out, relays + carries + "}], folder: mail/out, ", "one of the two"},
		"no route":            {out, relays + "], ", "no route: say which domains"},
		"no relay of that name": {out, relays + strings.Replace(carries, "relay: internal", "relay: internl", 1) + "}], ",
			`no such relay "internl" (internal?)`},
		"carries nothing known": {out, relays + strings.Replace(carries, "papers", "all", 1) + "}], ", "say plain (about no child), case"},
		"never, and by a relay": {out, relays + strings.Replace(carries, "carries: papers", "never: no", 1) + "}], ",
			"a route by which nothing goes has no relay"},
		"no domain":            {out, relays + strings.Replace(carries, `"*"`, `"a@b.example"`, 1) + "}], ", "is no mail domain"},
		"sealed with nothing":  {out, relays + carries + ", encrypt: smime}], ", "encrypt: smime wants mail_out.smime_file"},
		"a relay in the clear": {out, strings.Replace(relays, "starttls", "none", 1) + carries + "}], ", "there is no third way"},
		"half a login": {out, strings.Replace(relays, "tls: starttls", "tls: starttls, user: x", 1) + carries + "}], ",
			"give user with password_file or oauth, or neither"},
		"an archive too soon": {out, relays + carries +
			`, archive: {server: "imap.example:993", tls: implicit, user: u, password_file: p, folder: Sent}}], `,
			`"archive_lag_minutes" is missing`},
		"an archive": {out, relays + carries +
			`, archive: {server: "imap.example:993", tls: implicit, user: u, password_file: p, folder: Sent}, archive_lag_minutes: 10}], `, ""},
		"a certificate": {box, imap + "oauth: {tenant: t, client_id: c, certificate_file: app.pem}}, ", ""},
		"a certificate's end": {box, imap + "oauth: {tenant: t, client_id: c, certificate_file: a.pem, secret_expires: 2027-01-01}}, ",
			"a certificate says itself when it ends"},
		"a server":            {records, "engine: oracle, dsn_file: r.dsn, ", ""},
		"a server by a file":  {records, "engine: postgres, file: x.db, ", "postgres wants records.dsn_file"},
		"a file by a server":  {records, "engine: sqlite, dsn_file: x.dsn, ", "sqlite wants records.file"},
		"a state on a server": {state, "dsn_file: s.dsn, ", ""},
		"a state itself": {state, "dsn_file: \"postgres://drpd:Canary@db.fairshire.example/drpd\", ",
			"a connection string stands here: put it into a file that nobody else can read, and name that in state.dsn_file"},
		"a state as a file": {state, "file: \"postgres://drpd:Canary@db.fairshire.example/drpd\", ", "a connection string stands here"},
		"a server itself": {records, "engine: mariadb, dsn_file: \"drpd:Canary@tcp(db.fairshire.example)/x\", ",
			"name that in records.dsn_file"},
		"a writer itself": {records, "engine: sqlserver, dsn_file: r.dsn, write_dsn_file: \"server=db;user id=x;Password=Canary\", ",
			"name that in records.dsn_file"},
		"two states":       {state, state + "dsn_file: s.dsn, ", "give state.file, an SQLite file, or state.dsn_file"},
		"people elsewhere": {"documents:", "people: {name: ssd, engine: postgres, dsn_file: p.dsn, mapping: ssd}\ndocuments:", ""},
		"people without a name": {"documents:", "people: {name: care-first, engine: postgres, dsn_file: p.dsn, mapping: ssd}\ndocuments:",
			"people wants a name of its own"},
		"a former system":        {"documents:", "former: [{name: old, mapping: carefirst}]\ndocuments:", ""},
		"the same as the former": {"documents:", "former: [{name: care-first, mapping: carefirst}]\ndocuments:", "and the new one another name"},
	} {
		text := strings.Replace(string(b), tt.from, tt.to, 1)
		if text == string(b) {
			t.Fatalf("%s: the demo's configuration has changed", name)
		}
		file := filepath.Join(t.TempDir(), "drpd.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(file)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "drpd.yaml:")):
			t.Errorf("%s: %v, want %q at its line", name, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "Canary"):
			t.Errorf("%s: the secret is told: %v", name, err)
		}
	}
}
