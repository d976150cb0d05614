// Package config reads drpd's configuration and roster. Every fault is reported at its line, all at once, before
// anything is touched. Secrets never stand in the configuration: it names the files that hold them.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"drpd/adapters/records"
	"drpd/core/strict"
	"drpd/core/workday"
)

// Config is the configuration.
type Config struct {
	// whose daemon it is; stands in every email
	Authority string `yaml:"authority" need:"yes"`
	// drpd's own state
	State State `yaml:"state"`
	// the record system
	Records Records `yaml:"records"`
	// the record system to which the council moves: it is read once drpd move has begun that
	MovingTo *Records `yaml:"moving_to"`
	// record systems that were used before, the oldest first: what was read from them is still read
	Former []Former `yaml:"former"`
	// another database that says who works with a child; left out: the record system does
	People *Records `yaml:"people"`
	// where messages come from
	Mailbox Mailbox `yaml:"mailbox"`
	// where messages go
	MailOut MailOut `yaml:"mail_out"`
	// the document store, where copies of forms are filed
	Documents Documents `yaml:"documents"`
	// mappings of forms that come by email: shipped ones by name, or files
	Forms []string `yaml:"forms"`
	// folder of the authority's own policies; left out: the shipped ones
	Policies string `yaml:"policies"`
	// folder of the authority's own templates of emails and notes; left out: the shipped ones
	Templates string `yaml:"templates"`
	// the file that says who holds which role
	Roster string `yaml:"roster" need:"yes"`
	// folder with the authority's overlays of the policies, a .yaml file each
	Overlays string `yaml:"overlays"`
	// days off besides the bank holidays of England and Wales
	Calendar Calendar `yaml:"calendar"`
	// the first day on which drpd may send anything: what fell due before it sends nothing
	GoLive workday.Date `yaml:"go_live" need:"the first day on which drpd may send anything, such as 2026-12-01"`
	// the hours of working days in which email leaves; an emergency leaves at once
	Window Window `yaml:"send_window"`
	// how much may go before a person looks: above it everything is held, and the operator is told
	Most Most `yaml:"most_emails"`
	// from the end of one cycle to the next
	Every int `yaml:"poll_every_minutes" unit:"minutes" range:"1 1440"`
	// in which a source must answer; past it, what it holds is unknown
	PollTime int `yaml:"poll_deadline_minutes" unit:"minutes" range:"1 1440"`
	// in which an emergency is to be acknowledged, before the next holder is told
	Emergency int `yaml:"emergency_minutes" unit:"minutes" range:"1 1440"`
	// after which a message that waits for a person is told to the practice lead
	Chase int `yaml:"chase_after_days" unit:"working days" range:"1 30"`
	// reports that go by themselves
	Reports Reports `yaml:"reports"`
	// what a referral to CAFCASS must hold
	Referral Referral `yaml:"referral"`
	// how others see whether drpd does its work
	Watch Watch `yaml:"watch"`
	// who keeps anchors of drpd's history besides those who get its reports
	Audit Audit `yaml:"audit"`
	// how long what drpd holds is kept
	Keep Keep `yaml:"keep"`

	dir  string
	file *strict.File
}

// Where says where a value of the configuration stands, as file:line:col, by its keys and indexes.
func (c *Config) Where(path ...any) string { return c.file.Where(path) }

// Most is how much email may go before a person looks: in one cycle, in one day, to one role and to other domains in one day.
type Most struct {
	// in one cycle
	Cycle int `yaml:"cycle" unit:"messages" range:"1"`
	// in one day
	Day int `yaml:"day" unit:"messages" range:"1"`
	// to one role in one day
	Role int `yaml:"role" unit:"messages" range:"1"`
	// to other domains than the mailbox's in one day
	Outside int `yaml:"outside" unit:"messages" range:"1"`
	// how many disputes' dates may move in one cycle after people were told of them
	Dates int `yaml:"dates" unit:"disputes" range:"1"`
}

// Keep is how long what drpd holds is kept: nothing is erased by itself where it does not say.
type Keep struct {
	Ended string `yaml:"ended"` // after a dispute has ended, in years or in months; left out: for good

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
	// an SQLite file; made where there is none
	File string `yaml:"file"`
	// or PostgreSQL: the file with the connection string, which nobody else can read
	DSNFile string `yaml:"dsn_file"`
	// the file with the key of all that is sealed; made where there is none. Keep a copy of it apart
	Key string `yaml:"key_file" need:"yes"`
}

// Former is a record system that is no longer used.
type Former struct {
	Name    string `yaml:"name" need:"yes"`    // as it was under records
	Mapping string `yaml:"mapping" need:"yes"` // as it was under records
}

// Records is the record system.
type Records struct {
	// what drpd calls it in reports and explanations: it stays for good
	Name string `yaml:"name" need:"yes"`
	// what kind of database it is; mariadb: MySQL too
	Engine string `yaml:"engine" need:"yes" enum:"sqlite postgres mariadb sqlserver oracle"`
	// of sqlite: the database's file
	File string `yaml:"file"`
	// of a server: the file with the connection string, which nobody else can read
	DSNFile string `yaml:"dsn_file"`
	// the connection string of the login that writes, where that is another
	WriteDSNFile string `yaml:"write_dsn_file"`
	// how it is read: a shipped mapping by name, or a file
	Mapping string `yaml:"mapping" need:"yes"`
	// the folder of worklists, where a person keys case notes in
	Worklist string `yaml:"worklist"`
	// the reference under which the supplier agreed that drpd inserts into its tables
	Agreed string `yaml:"supplier_agreed"`
}

func (r *Records) check(f *strict.File, key string) {
	switch {
	case noFile(r.File) || noFile(r.DSNFile) || noFile(r.WriteDSNFile):
		f.Fault([]any{key}, "a connection string stands here: put it into a file that nobody else can read, and name that in %s.dsn_file", key)
	case r.Engine == "":
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
	// in which copies of forms are filed; only drpd's account and who should file them can look into it
	Folder string `yaml:"folder" need:"yes"`
}

// Calendar adds the authority's own days to the bank holidays.
type Calendar struct {
	Holidays []Day `yaml:"holidays"` // days that do not count as working days
}

// Day is one dated day off.
type Day struct {
	On   workday.Date `yaml:"on" need:"yes"`   // the day
	Name string       `yaml:"name" need:"yes"` // what is said of it where a due date is explained
}

// Window is the hours of working days in which email leaves.
type Window struct {
	From  int `yaml:"from" unit:"hour of the day" range:"0 23"`  // its beginning, in London
	Until int `yaml:"until" unit:"hour of the day" range:"1 24"` // its end: nothing leaves in this hour
}

// Referral says what a referral to CAFCASS must hold.
type Referral struct {
	// what is named as missing where it is not there: fields of the form or record, forms, legal-advice, chronology
	Parts []string `yaml:"parts"`
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
	Folder  string    `yaml:"folder"`  // where a copy of each workbook is kept; left out: nowhere
	Overdue []Overdue `yaml:"overdue"` // who gets the report of what is overdue, and when
}

// Overdue is a service manager's report.
type Overdue struct {
	// of its file: small letters, digits and -; each report its own
	Name string `yaml:"name" need:"yes"`
	// the role whose holders get it
	To string `yaml:"to" need:"the role whose holders get the report"`
	// days of the week; one that is no working day moves to the next
	On []string `yaml:"on" need:"the days of the week, such as [monday, thursday]" enum:"monday tuesday wednesday thursday friday saturday sunday"`
	// not before this hour: the first cycle after it sends it
	Hour int `yaml:"hour" unit:"hour of the day" range:"0 23"`
	// about these procedures alone; left out: all
	Policies []string `yaml:"policies"`
	// about these teams alone, as the record system calls them; left out: all
	Teams []string `yaml:"teams"`

	Days []time.Weekday `yaml:"-"`
}

// check reads the days and sees that each report has a name of its own.
func (r *Reports) check(f *strict.File) {
	var names []string
	for i := range r.Overdue {
		o := &r.Overdue[i]
		if strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || slices.Contains(names, o.Name) {
			f.Fault([]any{"reports", "overdue", i, "name"}, "%q is no name for a report: small letters, digits and -, and each report its own", o.Name)
		}
		names = append(names, o.Name)
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

// defaults is what holds where the configuration does not say.
func defaults() *Config {
	return &Config{Every: 5, PollTime: 10, Emergency: 30, Chase: 3, Window: Window{8, 18}, MailOut: MailOut{GiveUp: 5 * 24, AtOnce: 4},
		Most: Most{Cycle: 150, Day: 400, Role: 60, Outside: 60, Dates: 10}, Watch: Watch{Level: "info"}}
}

// Load reads the configuration.
func Load(name string) (*Config, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w (name another with --config)", err)
	}
	c := defaults()
	c.dir = filepath.Dir(name)
	f := strict.Load(name, src, c)
	f.Hold(c)
	c.file = f
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
		if p.Name == c.Records.Name {
			f.Fault([]any{"former", i}, "a former record system wants the name that it had, and the new one another name")
		}
	}
	taken := []string{"", c.Records.Name, c.Mailbox.Name}
	for _, p := range c.Former {
		taken = append(taken, p.Name)
	}
	if p := c.People; p != nil {
		p.check(f, "people")
		if slices.Contains(taken, p.Name) {
			f.Fault([]any{"people"}, "people wants a name of its own, such as ssd")
		}
		taken = append(taken, p.Name)
	}
	if p := c.MovingTo; p != nil {
		p.check(f, "moving_to")
		if slices.Contains(taken, p.Name) {
			f.Fault([]any{"moving_to"}, "the record system to which the council moves wants a name of its own")
		}
	}
	if w := c.Window; w.From >= w.Until {
		f.Fault([]any{"send_window"}, "from %d until %d is no window: give hours of the day, such as from 8 until 18", w.From, w.Until)
	}
	c.Reports.check(f)
	c.Watch.check(f, c)
	c.Audit.check(f)
	c.Keep.check(f)
	if c.Records.Name != "" && c.Records.Name == c.Mailbox.Name {
		f.Fault([]any{"mailbox", "name"}, "two sources are called %q: give each its own name", c.Mailbox.Name)
	}
	return c, f.Err()
}
