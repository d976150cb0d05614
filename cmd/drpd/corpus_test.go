package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/ledger"
	"drpd/adapters/mailbox"
	"drpd/adapters/mailer"
	"drpd/core/daemon"
	"drpd/core/drp"
	"drpd/core/reconcile"
	"drpd/core/strict"
	"drpd/core/workday"
)

const corpus = "../../testdata/mail"

// expected is what must become of a message, as somebody wrote it before the message was read.
type expected struct {
	Mail    string   `yaml:"mail"`
	What    string   `yaml:"what"`
	Place   string   `yaml:"place"`
	Dispute string   `yaml:"dispute"`
	Why     string   `yaml:"why"`
	Facts   []string `yaml:"facts"`
	Reach   []string `yaml:"reach"`
	New     []string `yaml:"new"`
}

func (e expected) String() string {
	return fmt.Sprintf("place %s %s\nfacts %s\nreach %s\nnew %s", e.Place, e.Dispute, strings.Join(e.Facts, "; "), strings.Join(e.Reach, "; "),
		strings.Join(e.New, "; "))
}

var corpusDay = workday.NewDate(2026, time.November, 23)

// council is one copy of the demo's council on the day of the corpus.
type council struct {
	*wired
	dir   string
	clock time.Time
}

// body gives the bytes of a piece of evidence.
func (c *council) body(t *testing.T, ev drp.Evidence) []byte {
	t.Helper()
	b, err := c.ledger.Body(t.Context(), ev.ID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openCouncil(t testing.TB, dir string) *council {
	t.Helper()
	p, err := prepare(filepath.Join(dir, "drpd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c := &council{dir: dir}
	if c.wired, err = wire(t.Context(), p, func() time.Time { return c.clock }, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *council) cycle(t *testing.T, day workday.Date, hour int) {
	t.Helper()
	c.clock = at(day, hour)
	if _, err := c.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// theCouncil makes the council as it is on the morning of the corpus, with a deputy for its team managers.
func theCouncil(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	stage := emptyStage(t, dir)
	defer func() { _ = stage.close() }()
	name := filepath.Join(dir, "roster.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, "  - {role: team-manager, person: w-133, name: Tara Moss, address: tara.moss@fairshire.example, deputy: true}\n"...)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	for day := stageFrom; day <= corpusDay; day++ { // nothing is learned before it has happened
		if day <= stageUntil {
			playDay(t, stage, day)
		}
		if day >= corpusDay-7 {
			c.cycle(t, day, 10)
		}
	}
	return dir
}

// told is a fact as a line.
func told(f drp.Statement) string {
	no, by := "", "nobody"
	if f.Denied {
		no = " no"
	}
	if len(f.ByRoles) > 0 {
		by = strings.Join(f.ByRoles, "+")
	}
	return fmt.Sprintf("%s %s%s by %s", f.Kind, f.On, no, by)
}

// effects are those that are decided, each as a line.
func (c *council) effects(t *testing.T) map[string]string {
	t.Helper()
	effects := make(map[string]string)
	past, err := c.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range past {
		line := fmt.Sprintf("%s %s", e.Kind, e.Reason)
		if e.Kind == drp.Email {
			if strings.HasPrefix(e.Dispute, "W-") {
				line += " " + e.Dispute
			}
			line += " to " + strings.Join(e.To, "+")
		}
		if e.HeldBy != "" {
			line += " held by " + e.HeldBy
		}
		effects[e.Key] = line
	}
	return effects
}

var placeholder = regexp.MustCompile(`\{(id|return|file) ([^}]+)\}`)

// letter fills a message in: the IDs of messages that the council sent, and forms.
func (c *council) letter(t *testing.T, name string) []byte {
	t.Helper()
	return c.filled(t, c.raw(t, name))
}

// raw is a message as it stands in the corpus.
func (c *council) raw(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *council) filled(t *testing.T, b []byte) []byte {
	t.Helper()
	past, err := c.ledger.Effects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b = placeholder.ReplaceAllFunc(b, func(m []byte) []byte {
		parts := placeholder.FindSubmatch(m)
		if string(parts[1]) == "file" {
			data, err := os.ReadFile(filepath.Join(corpus, "forms", string(parts[2])))
			if err != nil {
				t.Fatal(err)
			}
			text := base64.StdEncoding.EncodeToString(data)
			var lines []string
			for line := range slices.Chunk([]byte(text), 76) {
				lines = append(lines, string(line))
			}
			return []byte(strings.Join(lines, "\n"))
		}
		words := strings.Fields(string(parts[2])) // reason, dispute, person, and "as" somebody else
		for _, e := range past {
			_, sent, err := c.ledger.Sent(t.Context(), e.Key, words[2])
			if err != nil {
				t.Fatal(err)
			}
			if sent && string(e.Reason) == words[0] && e.Dispute == strings.TrimPrefix(words[1], "-") {
				if string(parts[1]) == "return" {
					return []byte(c.Mail.(*mailer.Router).Tags.ReturnTag(e.Key, words[2]))
				}
				return []byte(c.Mail.(*mailer.Router).Tags.MessageID(e.Dispute, e.Key, words[len(words)-1]) + "@drpd.fairshire.example")
			}
		}
		t.Fatalf("the council has sent nothing like %s", m)
		return nil
	})
	return []byte(strings.ReplaceAll(string(b), "\n", "\r\n"))
}

// became says what has become of a message, and for what reason it was placed there.
func (c *council) became(t *testing.T, base *council, body []byte) (got expected, why string) {
	t.Helper()
	sum := sha256.Sum256(body)
	id := "m" + hex.EncodeToString(sum[:])[:31]
	got.Place = "noted"
	kept, err := c.ledger.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept {
		if k.ID == id {
			got.Place, why = k.State, k.Reason
		}
	}
	all, err := c.ledger.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		one, stored, err := c.Case(t.Context(), x.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(stored.Evidence, func(ev drp.Evidence) bool { return ev.ID == id }) {
			got.Place, got.Dispute = "dispute", x.Ref
		}
		for _, f := range one.File.Statements() {
			if f.Evidence == id {
				got.Facts = append(got.Facts, told(f))
			}
		}
		for _, r := range one.File.Deliveries {
			line := fmt.Sprint(r.State)
			for _, role := range one.Roster.RolesOf(drp.Actor{Worker: r.Person}, x.Children, corpusDay) {
				if one.Policy.Roles[role] != "" {
					line += " " + role
				}
			}
			if r.Status != "" {
				line += " " + r.Status
			}
			if !r.Until.IsZero() {
				line += " until " + r.Until.String()
			}
			got.Reach = append(got.Reach, line)
		}
	}
	before, effects := base.effects(t), c.effects(t)
	for _, key := range sortedKeys(effects) {
		if before[key] == "" {
			got.New = append(got.New, effects[key])
		}
	}
	slices.Sort(got.Facts)
	slices.Sort(got.New)
	return got, why
}

// writtenDown gives what somebody wrote down that must become of the messages of a folder.
func writtenDown[T any](t *testing.T, folder string) []T {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(folder, "expect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Messages []T `yaml:"messages"`
	}
	if err := strict.Load("expect.yaml", src, &want).Err(); err != nil {
		t.Fatal(err)
	}
	return want.Messages
}

// TestMailCorpus gives each message of the corpus to a council of its own and compares what becomes of it with what was
// written by hand.
func TestMailCorpus(t *testing.T) {
	t.Parallel()
	want := writtenDown[expected](t, corpus)
	mails, err := filepath.Glob(filepath.Join(corpus, "*.eml"))
	if err != nil || len(mails) != len(want) {
		t.Errorf("%d messages, and %d are expected (%v)", len(mails), len(want), err)
	}
	seed := theCouncil(t)
	control := filepath.Join(t.TempDir(), "control")
	copyTree(t, seed, control)
	base := openCouncil(t, control)
	t.Cleanup(func() { _ = base.close() })
	base.cycle(t, corpusDay, 14)
	for _, w := range want {
		t.Run(w.Mail, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "d")
			copyTree(t, seed, dir)
			c := openCouncil(t, dir)
			defer func() { _ = c.close() }()
			body := c.letter(t, w.Mail)
			if err := os.WriteFile(filepath.Join(dir, "mail", "in", "corpus.eml"), body, 0o600); err != nil {
				t.Fatal(err)
			}
			c.cycle(t, corpusDay, 14)
			got, why := c.became(t, base, body)
			slices.Sort(w.Facts)
			slices.Sort(w.New)
			if w.Place == "dispute" && w.Dispute == "" {
				w.Dispute = "W-B735RN"
			}
			got.Dispute = got.Dispute[:min(len(got.Dispute), len(w.Dispute))]
			if got.String() != w.String() || !strings.Contains(why, w.Why) {
				t.Errorf("%s\n%s\nbecause %q\n\nexpected\n%s\nbecause %q", w.What, got, why, w, w.Why)
			}
		})
	}
}

// signer makes a certificate with its key for an address, as PEM.
func signer(t *testing.T, address string) (cert, both []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: at(corpusDay, 0).AddDate(-1, 0, 0),
		NotAfter: at(corpusDay, 0).AddDate(1, 0, 0), EmailAddresses: []string{address},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return cert, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: own}), cert...)
}

// A form that OpenSSL encrypted for drpd's own certificate is read; for another it waits for a person (the corpus has one).
func TestEncryptedForDrpd(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("left out: no OpenSSL")
	}
	dir := theCouncil(t)
	control := filepath.Join(t.TempDir(), "control")
	copyTree(t, dir, control)
	reconfigure(t, dir, "mail_out: {", "mail_out: {smime_file: own.pem, ")
	cert, both := signer(t, "drp@fairshire.example")
	for file, data := range map[string][]byte{"own.pem": both, "own.crt": cert} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base, c := openCouncil(t, control), openCouncil(t, dir)
	defer func() { _, _ = base.close(), c.close() }()
	head, inner, ok := bytes.Cut(c.letter(t, "raised-by-the-chair"), []byte("MIME-Version:"))
	if !ok {
		t.Fatal("the letter is not as it was")
	}
	seal := exec.CommandContext(t.Context(), program, "smime", "-encrypt", "-aes256", "-binary", filepath.Join(dir, "own.crt")) //nolint:gosec // where the machine has it
	seal.Stdin = bytes.NewReader(append([]byte("MIME-Version:"), inner...))
	sealed, err := seal.Output()
	if err != nil {
		t.Fatal(err)
	}
	body := append(bytes.Clone(head), sealed...)
	if err := os.WriteFile(filepath.Join(dir, "mail", "in", "sealed.eml"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	base.cycle(t, corpusDay, 14)
	c.cycle(t, corpusDay, 14)
	got, why := c.became(t, base, body)
	if facts := strings.Join(got.Facts, "; "); got.Place != "dispute" ||
		facts != "alerted 2026-11-23 by chair; raised 2026-11-23 by chair; telephoned 2026-11-23 by chair" {
		t.Errorf("%s, %s, because %q", got.Place, facts, why)
	}
}

// An alert that drpd sent by itself came back from everybody to whom it was addressed: the stage is not entered, the deputy
// is alerted, and the limit counts from then. What was noted on the record is corrected.
func TestAlertReachesNobody(t *testing.T) {
	t.Parallel()
	dir := theCouncil(t)
	name := filepath.Join(dir, "roster.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, "  - {role: group-manager, person: w-134, name: Greta Holm, address: greta.holm@fairshire.example, deputy: true}\n"...)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	const ref = "W-NWJCIF" // its first limit was the day of the corpus
	c := openCouncil(t, dir)
	defer func() { _ = c.close() }()
	stage := func(day workday.Date) string {
		t.Helper()
		c.cycle(t, day, 10)
		k, _, err := c.Case(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		v := reconcile.Decide(k).Standing.Visits
		last := v[len(v)-1]
		return fmt.Sprintf("%s since %s, due %s", last.Stage, last.Entered, last.Limit.Proof.Due)
	}
	if got, want := stage(corpusDay+1), "stage-2 since 2026-11-24, due 2026-12-01"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	back := strings.NewReplacer("alert W-B735RN w-132", "alert "+ref+" w-201", "tom.minster",
		"gita.marrow").Replace(string(c.raw(t, "dsn-postfix-unknown-user")))
	if err := os.WriteFile(filepath.Join(dir, "mail", "in", "back.eml"), c.filled(t, []byte(back)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := stage(corpusDay+2), "stage-2 since 2026-11-25, due 2026-12-02"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	mails, err := filepath.Glob(filepath.Join(dir, "mail", "out", "2026-11-25_"+ref+"_alert_group-manager_*.eml"))
	if err != nil || len(mails) != 1 || !strings.Contains(mails[0], "w-134") {
		t.Fatalf("%v, %v: want one to the deputy", mails, err)
	}
	alert, err := os.ReadFile(mails[0])
	if err != nil || !strings.Contains(string(alert), "this one takes its place") {
		t.Errorf("%v: %s", err, alert)
	}
	effects := c.effects(t)
	lines := make(map[string]int)
	for _, line := range effects {
		lines[line]++
	}
	if lines["case-note correction"] == 0 {
		t.Errorf("the record says that the alert went, and no correction follows: %v", lines)
	}
	said := func(args ...string) string {
		t.Helper()
		var o bytes.Buffer
		realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return at(corpusDay+2, 10) }},
			append([]string{"--config", filepath.Join(dir, "drpd.yaml")}, args...))
		return o.String()
	}
	for _, x := range [][2]string{{"absence list", "w-201  since 2026-11-23  mail comes back: mend the address, or say drpd " +
		"absence end w-201"}, {"absence end w-201", "is asked again"}, {"absence end w-201", "nobody called"},
		{"absence list", "nobody is known to be away"},
		{"explain " + ref, "w-201: returned (5.1.1), by a report of 2026-11-23"}, {"audit verify", "the chain is whole"}} {
		if got := said(strings.Fields(x[0])...); !strings.Contains(got, x[1]) {
			t.Errorf("%s: %s, want %q", x[0], got, x[1])
		}
	}
	c.clock = at(corpusDay+2, 11)
	if _, err := c.Cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := c.effects(t); len(again) != len(effects) {
		t.Errorf("%d effects, an hour later %d", len(effects), len(again))
	}
}

// One message in two mailboxes, one message delivered twice to one, and the very same bytes again: what it says counts once,
// and what it begins is one dispute.
func TestOneMessageTwice(t *testing.T) {
	t.Parallel()
	seed := theCouncil(t)
	for _, tt := range []struct{ mail, fact string }{{"answer-of-the-manager", "message-came 2026-11-23 by team-manager"},
		{"raised-by-the-chair", "raised 2026-11-23 by chair"}} {
		dir := filepath.Join(t.TempDir(), tt.mail)
		copyTree(t, seed, dir)
		c := openCouncil(t, dir)
		body := c.letter(t, tt.mail)
		other := append([]byte("Received: by another.fairshire.example; Mon, 23 Nov 2026 11:21:00 +0000\r\n"), body...)
		second := filepath.Join(dir, "second")
		if err := os.Mkdir(second, 0o700); err != nil {
			t.Fatal(err)
		}
		box := c.Feeds[len(c.Feeds)-1]
		c.Feeds = append(c.Feeds, daemon.Feed{Name: "second", Source: &mailbox.Folder{Name: "second", Path: second}, Read: box.Read})
		for name, b := range map[string][]byte{filepath.Join(dir, "mail/in/1.eml"): body, filepath.Join(dir, "mail/in/2.eml"): other,
			filepath.Join(second, "1.eml"): body, filepath.Join(second, "2.eml"): append([]byte("X-Second: yes\r\n"), body...)} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, err := c.ledger.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.cycle(t, corpusDay, 14)
		after, err := c.ledger.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if began := len(after) - len(before); began > 1 || began == 1 && tt.mail != "raised-by-the-chair" {
			t.Errorf("%s: %d disputes began", tt.mail, began)
		}
		evidence, facts := 0, 0
		for _, x := range after {
			one, stored, err := c.Case(t.Context(), x.Ref)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range stored.Evidence {
				if bytes.Contains(c.body(t, ev), []byte("<"+tt.mail+"@")) {
					evidence++
				}
			}
			for _, f := range one.File.Statements() {
				if told(f) == tt.fact {
					facts++
				}
			}
		}
		if evidence != 3 || facts != 1 {
			t.Errorf("%s: %d pieces of evidence, want 3; said %d times, want once", tt.mail, evidence, facts)
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// An emergency that nobody acknowledges goes to the next holder after half an hour, and to the operator in the end, at any
// hour; one that somebody has acknowledged goes no further.
func TestEmergencyIsPassedOn(t *testing.T) {
	t.Parallel()
	seed := theCouncil(t)
	for _, by := range []string{"", "line-manager", "practitioner"} {
		acknowledged := by == "line-manager" // whoever declared it does not acknowledge it
		dir := filepath.Join(t.TempDir(), "by-"+by)
		copyTree(t, seed, dir)
		c := openCouncil(t, dir)
		if err := os.WriteFile(filepath.Join(dir, "mail", "in", "raised.eml"), c.letter(t, "raised-by-a-listed-agency"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.cycle(t, corpusDay, 14)
		all, err := c.ledger.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(x ledger.Listed) bool { return strings.HasPrefix(x.Ref, "L-") })
		evening := time.Date(2026, 11, 23, 21, 0, 0, 0, london())
		add := func(args ...string) {
			t.Helper()
			var o bytes.Buffer
			if code := realMain(&app{ctx: t.Context(), out: &o, err: &o, now: func() time.Time { return evening }},
				append([]string{"--config", filepath.Join(dir, "drpd.yaml"), "fact", "add", all[i].Ref}, args...)); code != 0 {
				t.Fatal(o.String())
			}
		}
		add("emergency-declared", "--on", "2026-11-23", "--by", "practitioner", "--because", "by telephone")
		told := func(minutes int) string {
			t.Helper()
			c.clock = evening.Add(time.Duration(minutes) * time.Minute)
			if _, err := c.Cycle(t.Context()); err != nil {
				t.Fatal(err)
			}
			past, err := c.ledger.Effects(t.Context(), all[i].Ref)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range past {
				if p.Reason == drp.ReasonEmergency && p.Life == drp.Accepted {
					line := strings.Join(p.To, "+")
					if p.Deputies {
						line = "deputies of " + line
					}
					out = append(out, line)
				}
			}
			return strings.Join(out, ", ")
		}
		const first = "line-manager+safeguarding-lead"
		for _, step := range []struct {
			minutes int
			want    string
		}{{1, first}, {29, first}, {30, first}} {
			if got := told(step.minutes); got != step.want {
				t.Errorf("after %d minutes: %s", step.minutes, got)
			}
		}
		if by != "" {
			add("acknowledged", "--on", "2026-11-23", "--by", by, "--because", "by telephone")
		}
		for _, step := range []struct {
			minutes int
			want    string
		}{{31, first + ", deputies of safeguarding-lead"}, {60, first + ", deputies of safeguarding-lead"},
			{61, first + ", deputies of safeguarding-lead, operator"}, {180, first + ", deputies of safeguarding-lead, operator"}} {
			if acknowledged {
				step.want = first
			}
			if got := told(step.minutes); got != step.want {
				t.Errorf("acknowledged by %q, after %d minutes: %s, want %s", by, step.minutes, got, step.want)
			}
		}
		if err := c.close(); err != nil {
			t.Fatal(err)
		}
	}
}
