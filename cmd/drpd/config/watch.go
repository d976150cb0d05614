package config

import (
	"slices"

	"drpd/adapters/watch"
	"drpd/core/strict"
)

// Watch is how others see whether drpd does its work. All of it may be left out.
type Watch struct {
	// who is told where drpd's work cannot be proved, by a way that mail_out has no part in
	Alarm Alarm `yaml:"alarm"`
	// given after each cycle in which all is proved, and else not
	Heartbeat Heartbeat `yaml:"heartbeat"`
	// an address of this machine for /metrics, /healthz and /readyz, such as 127.0.0.1:9464
	Listen string `yaml:"listen"`
	// the least that is logged; debug also says cycles that did nothing
	Level string `yaml:"log_level" enum:"debug info warn error"`
}

// Alarm is the ways by which an alarm goes: all that are given.
type Alarm struct {
	// a mail server that is no relay of mail_out
	Relay *Relay `yaml:"relay"`
	// the addresses to which it sends
	To []string `yaml:"to"`
	// left out: the address of the mailbox
	From string `yaml:"from"`
	// the file with an address that begins with https://, to which alarms are posted; nobody else can read it
	URL string `yaml:"url_file"`
	// the authority that signed its certificate, where the machine does not know it
	Roots string `yaml:"ca_file"`
	// the event log of Windows, or syslog
	SystemLog bool `yaml:"system_log"`
}

// Ways says whether there is any way.
func (a Alarm) Ways() bool { return a.Relay != nil || a.URL != "" || a.SystemLog }

// Heartbeat is where drpd shows that all of its work is proved.
type Heartbeat struct {
	URL   string `yaml:"url_file"` // the file with an address that begins with https://, which is called; nobody else can read it
	Roots string `yaml:"ca_file"`  // the authority that signed its certificate, where the machine does not know it
	File  string `yaml:"file"`     // a file whose time is set, as a sign
}

// logLevels are the levels of the log, the least first.
var logLevels = []string{"debug", "info", "warn", "error"}

// slowest is how many minutes may lie between two cycles where somebody is to be told of a fault within half an hour.
const slowest = 10

func (w *Watch) check(f *strict.File, c *Config) {
	at := func(more ...any) []any { return append([]any{"watch"}, more...) }
	a := &w.Alarm
	address(f, at("alarm", "from"), a.From)
	for i, to := range a.To {
		address(f, at("alarm", "to", i), to)
	}
	switch {
	case a.Relay == nil && len(a.To) > 0 || a.Relay != nil && len(a.To) == 0:
		f.Fault(at("alarm"), "give relay and to, or neither: a relay sends to somebody")
	case a.Relay != nil && a.Relay.Graph != nil:
		f.Fault(at("alarm", "relay", "graph"), "an alarm goes by no mailbox of Microsoft 365: name a mail server, or give url_file")
	case a.Relay != nil:
		a.Relay.check(f, at("alarm", "relay"), nil)
		if slices.ContainsFunc(c.MailOut.Relays, func(r Relay) bool { return r.Server == a.Relay.Server }) {
			f.Fault(at("alarm", "relay", "server"), "%q is a relay of mail_out: where that is down, nobody would hear of it; name another server, "+
				"or give url_file", a.Relay.Server)
		}
	}
	if noAddress(a.URL) || noAddress(w.Heartbeat.URL) {
		f.Fault(at(), "an address stands here, and whoever has it can call it: put it into a file that nobody else can read, and name that in url_file")
	}
	if a.Ways() && c.Every > slowest {
		f.Fault([]any{"poll_every_minutes"}, "%d minutes: where watch.alarm is to tell of a fault within half an hour, give %d at most", c.Every, slowest)
	}
	if w.Listen != "" && !watch.Local(w.Listen) {
		f.Fault(at("listen"), "%q is no address of this machine alone: write it as 127.0.0.1:9464", w.Listen)
	}
	if !slices.Contains(logLevels, w.Level) {
		f.Fault(at("log_level"), "%q is no level: debug, info, warn or error", w.Level)
	}
}
