// Package config reads drpd's configuration and roster. Every fault is reported at its line, all at once, before
// anything is touched. Secrets never stand in the configuration: it names the files that hold them.
package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/records"
	"drpd/core/drp"
	"drpd/core/policy"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Config is the configuration.
type Config struct {
	Authority string       `yaml:"authority"` // whose daemon it is; stands in every email
	State     State        `yaml:"state"`
	Records   Records      `yaml:"records"`
	MovingTo  *Records     `yaml:"moving_to"` // the record system to which the council moves: it is read once drpd move has begun that
	Former    []Former     `yaml:"former"`    // record systems that were used before, the oldest first: what was read from them is still read
	People    *Records     `yaml:"people"`    // another database that says who works with a child; left out: the record system does
	Mailbox   Mailbox      `yaml:"mailbox"`
	MailOut   MailOut      `yaml:"mail_out"`
	Documents Documents    `yaml:"documents"`
	Forms     []string     `yaml:"forms"`     // mappings of forms: shipped ones by name, or files
	Policies  string       `yaml:"policies"`  // folder of the authority's own policies; empty: the shipped ones
	Templates string       `yaml:"templates"` // folder of the authority's own templates; empty: the shipped ones
	Roster    string       `yaml:"roster"`
	Overlays  string       `yaml:"overlays"` // a folder with the authority's overlays of the policies
	Calendar  Calendar     `yaml:"calendar"`
	GoLive    workday.Date `yaml:"go_live"`
	Window    *Window      `yaml:"send_window"`
	Most      Most         `yaml:"most_emails"`
	Every     int          `yaml:"poll_every_minutes"`
	PollTime  int          `yaml:"poll_deadline_minutes"` // in which a source must answer; past it, what it holds is unknown
	Emergency int          `yaml:"emergency_minutes"`     // in which an emergency is to be acknowledged, before the next holder is told
	// working days after which a message that waits for a person is told to the practice lead
	Chase    int      `yaml:"chase_after_days"`
	Reports  Reports  `yaml:"reports"`
	Referral Referral `yaml:"referral"`
	Watch    Watch    `yaml:"watch"`
	Audit    Audit    `yaml:"audit"`
	Keep     Keep     `yaml:"keep"`

	dir string
}

// Most is how much email may go before a person looks: in one cycle, in one day, to one role and to other domains in one day.
type Most struct {
	Cycle   int `yaml:"cycle"`
	Day     int `yaml:"day"`
	Role    int `yaml:"role"`
	Outside int `yaml:"outside"`
	Dates   int `yaml:"dates"` // and how many disputes' dates may move in one cycle
}

// Keep is how long what drpd holds is kept: nothing is erased by itself where it does not say.
type Keep struct {
	Ended string `yaml:"ended"` // after a dispute has ended, such as 6 years, 18 months

	Years, Months int `yaml:"-"`
}

// check reads how long it is.
func (k *Keep) check(f *strict.File) {
	if k.Ended == "" {
		return
	}
	var n int
	var unit string
	_, err := fmt.Sscanf(k.Ended, "%d %s", &n, &unit)
	switch unit = strings.TrimSuffix(unit, "s"); {
	case err == nil && n > 0 && n <= 100 && unit == "year" && len(strings.Fields(k.Ended)) == 2:
		k.Years = n
	case err == nil && n > 1 && n <= 1200 && unit == "month" && len(strings.Fields(k.Ended)) == 2:
		k.Months = n
	default:
		f.Fault([]any{"keep", "ended"}, "%q is no time: give years, or two months or more, such as 6 years or 18 months", k.Ended)
	}
}

// State is where drpd keeps its own state.
type State struct {
	File    string `yaml:"file"`     // an SQLite file
	DSNFile string `yaml:"dsn_file"` // or PostgreSQL: the file with the connection string, which nobody else can read
	Key     string `yaml:"key_file"`
}

// Former is a record system that is no longer used.
type Former struct {
	Name    string `yaml:"name"`    // as it was under records
	Mapping string `yaml:"mapping"` // as it was under records
}

// Records is the record system.
type Records struct {
	Name         string `yaml:"name"`
	Engine       string `yaml:"engine"`
	File         string `yaml:"file"`            // of sqlite
	DSNFile      string `yaml:"dsn_file"`        // of a server: the file with the connection string, which nobody else can read
	WriteDSNFile string `yaml:"write_dsn_file"`  // the connection string of the login that writes, where that is another
	Mapping      string `yaml:"mapping"`         // shipped, by name, or a file
	Worklist     string `yaml:"worklist"`        // the folder of worklists, where a person keys case notes in
	Agreed       string `yaml:"supplier_agreed"` // the reference under which the supplier agreed that drpd inserts into its tables
}

func (r *Records) check(f *strict.File, key string) {
	switch {
	case noFile(r.File) || noFile(r.DSNFile) || noFile(r.WriteDSNFile):
		f.Fault([]any{key}, "a connection string stands here: put it into a file that nobody else can read, and name that in %s.dsn_file", key)
	case !slices.Contains(records.Engines(), r.Engine):
		f.Fault([]any{key, "engine"}, "%q is no engine (%s)", r.Engine, strings.Join(records.Engines(), ", "))
	case r.Engine == "sqlite" && (r.File == "" || r.DSNFile+r.WriteDSNFile != ""):
		f.Fault([]any{key}, "sqlite wants %s.file, and no dsn_file", key)
	case r.Engine != "sqlite" && (r.DSNFile == "" || r.File != ""):
		f.Fault([]any{key}, "%s wants %s.dsn_file, the file with the connection string, and no file", r.Engine, key)
	}
}

// noFile says whether what should name a file is a connection string, which would be told with the name.
func noFile(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "://") || strings.Contains(name, "@tcp(") || strings.Contains(name, "password=")
}

// noAddress says whether what should name a file is a web address.
func noAddress(name string) bool { return strings.Contains(name, "://") }

// Documents is the document store.
type Documents struct {
	Folder string `yaml:"folder"`
}

// Calendar adds the authority's own days to the bank holidays.
type Calendar struct {
	Holidays []Day `yaml:"holidays"`
}

// Day is one dated day off.
type Day struct {
	On   workday.Date `yaml:"on"`
	Name string       `yaml:"name"`
}

// Window is the hours of working days in which email leaves.
type Window struct {
	From  int `yaml:"from"`
	Until int `yaml:"until"`
}

// Referral says what a referral to CAFCASS must hold.
type Referral struct {
	Parts []string `yaml:"parts"` // fields of the form or record, forms, legal-advice, chronology
}

// Audit says who keeps anchors of drpd's history besides those who get its reports: a folder, or a server.
type Audit struct {
	Witness string `yaml:"witness"`  // a folder, of another machine as a rule
	URL     string `yaml:"url_file"` // the file with an address that begins with https://, to which each is posted; nobody else can read it
	Roots   string `yaml:"ca_file"`  // the authority that signed its certificate, where the machine does not know it
}

func (a *Audit) check(f *strict.File) {
	at := []any{"audit"}
	switch {
	case noAddress(a.Witness) || noAddress(a.URL):
		f.Fault(at, "an address stands here: put it into a file that nobody else can read, and name that in audit.url_file")
	case a.Witness != "" && a.URL != "":
		f.Fault(at, "give audit.witness, a folder, or audit.url_file: one of the two")
	case a.URL == "" && a.Roots != "":
		f.Fault(at, "ca_file goes with url_file")
	}
}

// Reports are those that go by themselves.
type Reports struct {
	Folder  string    `yaml:"folder"` // where each workbook is kept too; empty: nowhere
	Overdue []Overdue `yaml:"overdue"`
}

// Overdue is a service manager's report.
type Overdue struct {
	Name     string   `yaml:"name"` // of its file: letters, digits and -
	To       string   `yaml:"to"`   // role
	On       []string `yaml:"on"`   // days of the week
	Hour     int      `yaml:"hour"` // not before this hour; the first cycle after it sends it
	Policies []string `yaml:"policies"`
	Teams    []string `yaml:"teams"`

	Days []time.Weekday `yaml:"-"`
}

// check reads the days and sees that each report has a name of its own.
func (r *Reports) check(f *strict.File) {
	var names []string
	for i := range r.Overdue {
		o := &r.Overdue[i]
		at := func(key string) []any { return []any{"reports", "overdue", i, key} }
		if strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || o.Name == "" || slices.Contains(names, o.Name) {
			f.Fault(at("name"), "%q is no name for a report: small letters, digits and -, and each report its own", o.Name)
		}
		names = append(names, o.Name)
		if o.To == "" {
			f.Fault(at("to"), "\"to\" is missing: the role whose holders get the report")
		}
		if o.Hour < 0 || o.Hour > 23 {
			f.Fault(at("hour"), "%d is no hour: give 0 to 23", o.Hour)
		}
		if len(o.On) == 0 {
			f.Fault(at("on"), "\"on\" is missing: the days of the week, such as [monday, thursday]")
		}
		for j, name := range o.On {
			day := slices.Index(weekdays, strings.ToLower(name))
			if day < 0 {
				f.Fault([]any{"reports", "overdue", i, "on", j}, "%q is no day of the week%s", name, strict.Suggest(name, slices.Clone(weekdays)))
			}
			o.Days = append(o.Days, time.Weekday(day))
		}
	}
}

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Path gives a path of the configuration, relative to the configuration's own folder.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// Load reads the configuration.
func Load(name string) (*Config, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w (name another with --config)", err)
	}
	c := &Config{dir: filepath.Dir(name), Every: 5, PollTime: 10, Emergency: 30, Chase: 3,
		Most: Most{Cycle: 150, Day: 400, Role: 60, Outside: 60, Dates: 10}, Window: &Window{8, 18}, MailOut: MailOut{GiveUp: 5 * 24, AtOnce: 4},
		Watch: Watch{Level: "info"}}
	f := strict.Load(name, src, c)
	for _, need := range []struct {
		path  []any
		value string
	}{
		{[]any{"authority"}, c.Authority}, {[]any{"state", "key_file"}, c.State.Key},
		{[]any{"records", "name"}, c.Records.Name}, {[]any{"records", "mapping"}, c.Records.Mapping},
		{[]any{"mailbox", "name"}, c.Mailbox.Name}, {[]any{"mailbox", "address"}, c.Mailbox.Address},
		{[]any{"mailbox", "trusted_server"}, c.Mailbox.Trusted}, {[]any{"mail_out", "message_id_host"}, c.MailOut.Host},
		{[]any{"documents", "folder"}, c.Documents.Folder}, {[]any{"roster"}, c.Roster},
	} {
		if need.value == "" {
			f.Fault(need.path, "%q is missing", dotted(need.path))
		}
	}
	if c.GoLive.IsZero() {
		f.Fault(nil, "\"go_live\" is missing: the first day on which drpd may send anything, such as 2026-12-01")
	}
	if (c.State.File == "") == (c.State.DSNFile == "") {
		f.Fault([]any{"state"}, "give state.file, an SQLite file, or state.dsn_file, the file with the connection string of a PostgreSQL "+
			"database: one of the two")
	}
	if noFile(c.State.File) || noFile(c.State.DSNFile) {
		f.Fault([]any{"state"}, "a connection string stands here: put it into a file that nobody else can read, and name that in state.dsn_file")
	}
	c.Mailbox.check(f)
	c.MailOut.check(f)
	c.Records.check(f, "records")
	for i, p := range c.Former {
		if p.Name == "" || p.Mapping == "" || p.Name == c.Records.Name {
			f.Fault([]any{"former", i}, "a former record system wants the name and the mapping that it had, and the new one another name")
		}
	}
	taken := []string{"", c.Records.Name, c.Mailbox.Name}
	for _, p := range c.Former {
		taken = append(taken, p.Name)
	}
	if p := c.People; p != nil {
		p.check(f, "people")
		if slices.Contains(taken, p.Name) || p.Mapping == "" {
			f.Fault([]any{"people"}, "people wants a name of its own and a mapping, such as ssd")
		}
		taken = append(taken, p.Name)
	}
	if p := c.MovingTo; p != nil {
		p.check(f, "moving_to")
		if slices.Contains(taken, p.Name) || p.Mapping == "" {
			f.Fault([]any{"moving_to"}, "the record system to which the council moves wants a name of its own and a mapping")
		}
	}
	if w := c.Window; w.From < 0 || w.Until > 24 || w.From >= w.Until {
		f.Fault([]any{"send_window"}, "from %d until %d is no window: give hours of the day, such as from 8 until 18", w.From, w.Until)
	}
	c.Reports.check(f)
	c.Watch.check(f, c)
	c.Audit.check(f)
	c.Keep.check(f)
	if c.Every < 1 || c.Every > 24*60 {
		f.Fault([]any{"poll_every_minutes"}, "%d minutes: give 1 to 1440", c.Every)
	}
	if c.PollTime < 1 || c.PollTime > 24*60 {
		f.Fault([]any{"poll_deadline_minutes"}, "%d minutes: give 1 to 1440", c.PollTime)
	}
	if c.Emergency < 1 || c.Emergency > 24*60 {
		f.Fault([]any{"emergency_minutes"}, "%d minutes: give 1 to 1440", c.Emergency)
	}
	if c.Chase < 1 || c.Chase > 30 {
		f.Fault([]any{"chase_after_days"}, "%d working days: give 1 to 30", c.Chase)
	}
	for _, x := range []struct {
		key string
		n   int
	}{{"cycle", c.Most.Cycle}, {"day", c.Most.Day}, {"role", c.Most.Role}, {"outside", c.Most.Outside}, {"dates", c.Most.Dates}} {
		if x.n < 1 {
			f.Fault([]any{"most_emails", x.key}, "%d: give 1 or more", x.n)
		}
	}
	if c.Records.Name != "" && c.Records.Name == c.Mailbox.Name {
		f.Fault([]any{"mailbox", "name"}, "two sources are called %q: give each its own name", c.Mailbox.Name)
	}
	return c, f.Err()
}

func dotted(path []any) string {
	s := ""
	for i, p := range path {
		if i > 0 {
			s += "."
		}
		s += fmt.Sprint(p)
	}
	return s
}

// holder is a line of the roster.
type holder struct {
	Role    string       `yaml:"role"`
	Person  string       `yaml:"person"`
	Name    string       `yaml:"name"`
	Address string       `yaml:"address"`
	Child   string       `yaml:"child"`
	From    workday.Date `yaml:"from"`
	Until   workday.Date `yaml:"until"`
	Deputy  bool         `yaml:"deputy"`
	Domain  string       `yaml:"domain"`  // instead of a person: whoever writes from there
	Team    string       `yaml:"team"`    // as the record system calls it
	Cleared bool         `yaml:"cleared"` // may see restricted records
}

type roster struct {
	Holders []holder `yaml:"holders"`
}

// LoadRoster reads the roster and holds it against the policies: a role that is in none of them is a fault, and so is
// one that neither the roster nor the record system can fill; titled are those that the record system can.
func LoadRoster(name string, policies policy.Set, titled []string) (drp.Roster, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	var in roster
	f := strict.Load(name, src, &in)
	var roles []string
	for _, p := range policies {
		roles = slices.AppendSeq(roles, maps.Keys(p.Roles))
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	var out drp.Roster
	for i, h := range in.Holders {
		at := func(key string) []any { return []any{"holders", i, key} }
		if !slices.Contains(roles, h.Role) {
			f.Fault(at("role"), "no such role %q%s", h.Role, strict.Suggest(h.Role, slices.Clone(roles)))
		}
		switch {
		case h.Domain != "" && (h.Person != "" || h.Address != ""):
			f.Fault([]any{"holders", i}, "a holder is a person with an address, or a domain, not both")
		case h.Domain != "" && (strings.Contains(h.Domain, "@") || !strings.Contains(h.Domain, ".")):
			f.Fault(at("domain"), "%q is no mail domain: write it as agency.example", h.Domain)
		case h.Domain == "" && (h.Person == "" || h.Address == ""):
			f.Fault([]any{"holders", i}, "a holder needs person and address, or a domain")
		}
		if !h.Until.IsZero() && h.Until < h.From {
			f.Fault(at("until"), "%s lies before %s", h.Until, h.From)
		}
		out = append(out, drp.Holder{Role: h.Role, Person: h.Person, Name: drp.NewPrivate(h.Name), Address: drp.NewPrivate(h.Address),
			Child: h.Child, From: h.From, Until: h.Until, Deputy: h.Deputy, Domain: h.Domain, Team: h.Team, Cleared: h.Cleared})
	}
	held := func(role string) bool {
		return slices.Contains(titled, role) || slices.ContainsFunc(out, func(h drp.Holder) bool { return h.Role == role })
	}
	for _, role := range roles {
		stands := slices.ContainsFunc(policies, func(p *policy.Policy) bool { return p.StandIns()[role] != "" && held(p.StandIns()[role]) })
		if !held(role) && !stands {
			f.Fault([]any{"holders"}, "nobody can hold the role %q: add a holder, or map a title of the record system to it", role)
		}
	}
	return out, f.Err()
}
