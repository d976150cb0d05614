package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"drpd/core/drp"
	"drpd/core/notice"
	"drpd/core/policy"
	"drpd/core/reconcile"
	"drpd/core/report"
	"drpd/core/workday"
)

// operator is the role that every council gives to somebody: they are told where nobody else can be.
const operator = policy.Operator

const wordDocument = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

const (
	maxResends = 1   // of a message whose fate is unknown
	groupSize  = 20  // attempts whose receipts are stored together
	bulkSize   = 100 // case notes that are written together, messages that are put away together
)

// deliver sends what is to go and says how much it tried.
func (d *Daemon) deliver(ctx context.Context, r *Report, sent *int) (int, error) {
	out, err := d.Ledger.Outbox(ctx, d.Now())
	if err != nil {
		return 0, err
	}
	paused, err := d.Ledger.Setting(ctx, settingPaused)
	if err != nil {
		return 0, err
	}
	guarded, err := d.Ledger.Setting(ctx, settingGuard)
	if err != nil {
		return 0, err
	}
	g := &gatekeeper{Gates: d.Gates, paused: paused != "", guarded: guarded != "", now: d.Now().In(d.Zone), cal: d.Calendar}
	if g.over(out, *sent) {
		if err := d.Ledger.SetSetting(ctx, settingGuard, fmt.Sprintf("%d emails were about to go in one cycle; the limit is %d", g.emails+*sent, d.Gates.MaxEmails), "drpd", d.Now()); err != nil {
			return 0, err
		}
		d.Log.Error("blast-radius guard: all email is held until a person says resume", "emails", g.emails, "limit", d.Gates.MaxEmails)
		if err := d.tell(ctx, "more emails were about to go at once than the configuration allows; all are held: look at them with drpd outbox list, then say drpd resume", "guard", d.today().String(), true); err != nil {
			return 0, err
		}
		g.guarded = true
	}
	batch, err := d.ready(ctx, out, g, r)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, kinds := range [][]drp.EffectKind{{drp.CaseNote}, {drp.Email, drp.FormCopy}, {drp.MailMark}} {
		size := groupSize
		if kinds[0] != drp.Email {
			size = bulkSize
		}
		var part []attempt
		for _, a := range batch {
			if slices.Contains(kinds, a.Kind) {
				part = append(part, a)
			}
		}
		for group := range slices.Chunk(part, size) {
			claimed, err := d.group(ctx, group, r, sent)
			if err != nil {
				return n, err
			}
			n += claimed
		}
	}
	return n, nil
}

// attempt is one delivery that is about to be made: an email to one person, a case note, a copy of a form.
type attempt struct {
	Outgoing
	to     Envelope
	policy *policy.Policy
	stored Stored
	known  drp.Life // what became of it, where the archive already says so
}

// ready takes the effects through the gates, makes what is not made yet, and gives one delivery a dispute: what else a
// dispute has to say is decided anew once its receipt is there.
func (d *Daemon) ready(ctx context.Context, out []Outgoing, g *gatekeeper, r *Report) ([]attempt, error) {
	if len(out) == 0 {
		return nil, nil
	}
	d.looked = make(map[workday.Date][]report.Dispute)
	defer func() { d.looked = nil }()
	var batch []attempt
	var made []Envelope
	taken := make(map[string]bool)
	for _, o := range out {
		if o.Dispute != "" && taken[o.Dispute] {
			continue
		}
		if gate, why := g.refuse(o.Effect); gate != "" {
			r.Held++
			if err := d.hold(ctx, o, gate, why); err != nil {
				return nil, err
			}
			continue
		}
		a, fresh, err := d.prepare(ctx, o, r)
		if err != nil {
			return nil, err
		}
		made = append(made, fresh...)
		if a != nil {
			taken[o.Dispute] = true
			batch = append(batch, *a)
		}
	}
	if len(made) > 0 {
		if err := d.Ledger.Make(ctx, made, d.Now()); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// prepare makes the deliveries of an effect and picks the next one; nil where a person is needed first.
func (d *Daemon) prepare(ctx context.Context, o Outgoing, r *Report) (*attempt, []Envelope, error) {
	if o.Kind == drp.MailMark && o.Unmade { // it is about no case
		fresh := []Envelope{{Key: o.Key, Reason: o.Reason, At: d.Now()}}
		return &attempt{Outgoing: o, to: fresh[0]}, fresh, nil
	}
	c, stored, err := d.caseOf(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if c.Policy == nil {
		return nil, nil, d.hold(ctx, o, "policy", "the dispute's policy is not loaded")
	}
	a := &attempt{Outgoing: o, policy: c.Policy, stored: stored}
	var fresh []Envelope
	switch {
	case !o.Unmade:
	case o.Kind != drp.Email:
		fresh = []Envelope{{Key: o.Key, Dispute: o.Dispute, Reason: o.Reason, At: d.Now()}}
	default:
		var why string
		if fresh, why, err = d.make(ctx, o, c, stored); err != nil {
			why = err.Error()
		}
		if why != "" {
			r.Held++
			what := "an email of dispute " + o.Dispute
			if o.Reason == drp.ReasonReport {
				what = "the report " + o.Says
			}
			if (o.Dispute != "" || o.Reason == drp.ReasonReport) && o.HeldBy != "role" {
				if err := d.tell(ctx, what+" cannot go: "+why, "vacant", o.Key, o.Urgent); err != nil {
					return nil, nil, err
				}
			}
			return nil, nil, d.hold(ctx, o, "role", why)
		}
	}
	if o.Unmade {
		a.Deliveries = fresh
	}
	if len(a.Deliveries) == 0 {
		return nil, nil, nil
	}
	a.to = a.Deliveries[0]
	if a.to.AlreadyTrying && o.Kind == drp.Email {
		ok, err := d.search(ctx, a)
		if err != nil || !ok {
			return nil, nil, err
		}
	}
	return a, fresh, nil
}

// caseOf gives the case from which an effect was decided: as it was decided in this round, where nothing has come since.
func (d *Daemon) caseOf(ctx context.Context, o Outgoing) (reconcile.Case, Stored, error) {
	if x, ok := d.fresh[o.Dispute]; ok && x.stored.Revision == o.Basis {
		return x.Case, x.stored, nil
	}
	return d.Case(ctx, o.Dispute)
}

// search looks for a message whose fate is unknown in the route's archive. Where it shows nothing, one resend under the
// same Message-ID is made; ok is false where a person must say.
func (d *Daemon) search(ctx context.Context, a *attempt) (ok bool, err error) {
	found, err := d.Mail.Find(ctx, a.to)
	switch {
	case errors.Is(err, ErrNoArchive):
		return false, d.hold(ctx, a.Outgoing, "unknown", "an attempt has no known end and the route keeps no archive: a person must say whether it arrived")
	case err != nil:
		d.Log.Warn("the route's archive cannot be searched", "effect", a.Key, "error", err)
		return false, nil
	case found:
		a.known = drp.Accepted
	case a.to.Tries > maxResends:
		return false, d.hold(ctx, a.Outgoing, "unknown", "it was sent again once and its fate is still unknown: a person must say")
	}
	return true, nil
}

// group records the attempts, makes them, and stores the receipts: three steps, so that a crash between any two leaves
// attempts whose fate the next run finds out.
func (d *Daemon) group(ctx context.Context, batch []attempt, r *Report, sent *int) (int, error) {
	tickets := make([]Envelope, len(batch))
	for i, a := range batch {
		tickets[i] = a.to
	}
	claimed, err := d.Ledger.Claim(ctx, tickets, d.Now())
	if err != nil {
		return 0, err
	}
	written := d.notes(ctx, batch, claimed)
	d.putAway(ctx, batch, claimed, written)
	var settled []Settled
	for i, a := range batch {
		if !claimed[i] {
			continue
		}
		err := written[i]
		switch {
		case a.Kind == drp.Email || a.Kind == drp.FormCopy:
			err = d.attempt(ctx, a, r, sent)
		case a.Kind == drp.CaseNote && err == nil:
			r.Written++
		}
		if ctx.Err() != nil {
			return 0, ctx.Err() // its fate is unknown: the next run looks
		}
		s, err := d.settled(a, err, r)
		if err != nil {
			return 0, err
		}
		if s.Life == drp.Failed && a.Dispute != "" {
			if err := d.tell(ctx, fmt.Sprintf("%s %s of dispute %s was refused for good: drpd outbox show %s", a.Kind, a.Reason, a.Dispute, a.Key), "refused", a.Key+"/"+a.to.Person, false); err != nil {
				return 0, err
			}
		}
		settled = append(settled, s)
	}
	if len(settled) == 0 {
		return 0, nil
	}
	return len(settled), d.Ledger.Settle(ctx, settled)
}

// notes writes the case notes of a group together. They are idempotent by their reference, so that one whose fate is not
// known is simply written again.
func (d *Daemon) notes(ctx context.Context, batch []attempt, claimed []bool) []error {
	errs := make([]error, len(batch))
	var notes []Note
	var at []int
	for i, a := range batch {
		if !claimed[i] || a.Kind != drp.CaseNote {
			continue
		}
		known, err := d.numbers(ctx, []string{a.Child}, nil)
		if err != nil {
			errs[i] = err
			continue
		}
		text, err := d.Writer.Note(a.policy, a.Effect)
		if err != nil {
			errs[i] = Permanent{err}
			continue
		}
		notes, at = append(notes, Note{Reference: a.Key, Dispute: a.Dispute, Child: known.now(a.Child), Type: a.NoteType, Text: text, On: a.On}), append(at, i)
	}
	if len(notes) == 0 {
		return errs
	}
	for i, err := range d.Notes.WriteNotes(ctx, notes) {
		errs[at[i]] = err
	}
	return errs
}

// putAway puts the messages of a group away, those of a mailbox with one command.
func (d *Daemon) putAway(ctx context.Context, batch []attempt, claimed []bool, errs []error) {
	for _, f := range d.Feeds {
		var places []string
		var at []int
		for i, a := range batch {
			if claimed[i] && a.Kind == drp.MailMark && a.Rule == f.Name {
				places, at = append(places, a.Says), append(at, i)
			}
		}
		m, ok := f.Source.(Marker)
		if len(places) == 0 || !ok {
			continue
		}
		if err := m.Mark(ctx, places); err != nil {
			for _, i := range at {
				errs[i] = err
			}
		}
	}
}

// attempt makes one delivery. Case notes and copies are idempotent by their reference, so that one whose fate is not
// known is simply made again.
func (d *Daemon) attempt(ctx context.Context, a attempt, r *Report, sent *int) error {
	switch {
	case a.known == drp.Accepted:
		return nil
	case a.Kind == drp.Email:
		*sent++
		if err := d.Mail.Send(ctx, a.to, a.to.Message); err != nil {
			return err
		}
		r.Sent++
		return nil
	}
	data, ok := d.formBytes(a.stored, a.Form)
	if !ok {
		return Permanent{errors.New("the dispute form cannot be found in its message")}
	}
	known, err := d.numbers(ctx, []string{a.Child}, nil)
	if err != nil {
		return err
	}
	err = d.Forms.KeepForm(ctx, FormFile{Reference: a.Key, Child: known.now(a.Child), Dispute: a.Dispute, What: CopyOfForm, Name: a.Form.Name, Data: data, On: a.On})
	if err == nil {
		r.Written++
	}
	return err
}

// settled says what became of an attempt. An accepted one leaves a receipt, which is evidence: an alert that was
// accepted is a fact of the dispute.
func (d *Daemon) settled(a attempt, err error, r *Report) (Settled, error) {
	s := Settled{Key: a.Key, Person: a.to.Person, Life: drp.Accepted, Now: d.Now()}
	var permanent Permanent
	switch {
	case err == nil:
		body, err := json.Marshal(drp.Sending{Dispute: a.Dispute, Effect: a.Key, Reason: a.Reason, Kind: a.Kind, Stage: a.Stage, Role: a.to.Role, Form: a.to.WithForm, On: d.today()})
		s.Receipt = &drp.Evidence{ID: drp.ReceiptID(a.Key, a.to.Person), Source: "drpd", Kind: drp.Receipt, Key: a.Key + "/" + a.to.Person, Learned: d.Now(), Body: body}
		return s, err
	case errors.As(err, &permanent):
		s.Life, s.Why = drp.Failed, "refused for good: "+err.Error()
	default:
		s.Life, s.Why, s.Again = drp.Made, "not accepted for now: "+err.Error(), d.Now().Add(pause(a.to.Tries))
	}
	r.Failed++
	d.Log.Warn("not delivered", "effect", a.Key, "dispute", a.Dispute, "role", a.to.Role, "life", s.Life, "error", err)
	return s, nil
}

func (d *Daemon) hold(ctx context.Context, o Outgoing, gate, why string) error {
	if o.HeldBy == gate && o.Why == why {
		return nil
	}
	level := slog.LevelWarn
	if gate == "window" || o.Kind == drp.MailMark {
		level = slog.LevelDebug // as it should be, every night
	}
	d.Log.Log(ctx, level, "held", "effect", o.Key, "dispute", o.Dispute, "gate", gate, "why", why)
	return d.Ledger.Hold(ctx, o.Key, gate, why, d.Now())
}

// make resolves the roles and renders one message a person. A role that nobody holds blocks the effect.
func (d *Daemon) make(ctx context.Context, o Outgoing, c reconcile.Case, stored Stored) ([]Envelope, string, error) {
	p, roster := c.Policy, c.Roster
	resolve := func(roles []string, who func(string, []string, workday.Date) []drp.Holder) (out []Person, vacant string) {
		for _, role := range roles {
			holders := who(role, stored.Children, d.today())
			if len(holders) == 0 && o.Reason == drp.ReasonEmergency { // it waits for nobody to be found
				holders = roster.Holding(operator, nil, d.today())
			}
			if len(holders) == 0 {
				return nil, role
			}
			for _, h := range holders {
				if h.Address.Empty() {
					return nil, role
				}
				if !slices.ContainsFunc(out, func(p Person) bool { return p.ID == h.Person }) {
					out = append(out, Person{ID: h.Person, Role: role, Name: h.Name, Address: h.Address, Cleared: h.Cleared})
				}
			}
		}
		return out, ""
	}
	who := roster.Holding
	if o.Deputies {
		who = roster.Deputies
	}
	to, vacant := resolve(o.To, who)
	cc, vacantCc := resolve(o.Cc, who)
	if vacant == "" {
		vacant = vacantCc
	}
	if vacant != "" {
		return nil, "nobody holds the role " + p.RoleTitle(vacant) + " today, or has an address: add a holder or a deputy to the roster", nil
	}
	cc = slices.DeleteFunc(cc, func(x Person) bool { return slices.ContainsFunc(to, func(y Person) bool { return x.ID == y.ID }) })
	var replyTo Person
	if owner, _ := resolve(p.Owners(o.Stage), roster.Holding); len(owner) > 0 && o.Reason == drp.ReasonAlert {
		replyTo = owner[0]
	}
	if o.Reason == drp.ReasonReport {
		return d.makeReports(ctx, o, to)
	}
	var letter notice.Letter
	var err error
	if o.Reason == drp.ReasonPack {
		var why string
		if letter, why, err = d.packLetter(ctx, o.Effect); err != nil || why != "" {
			return nil, why, err
		}
	} else if letter, err = d.email(ctx, o, c); err != nil {
		return nil, "", err
	}
	if len(o.Agenda) > 0 {
		papers, err := d.meetingPapers(ctx, o.Effect, c)
		if err != nil {
			return nil, "", err
		}
		letter.Files = append(letter.Files, papers...)
	}
	withForm := false
	if o.Form.Digest != "" && (slices.Contains(o.Attach, policy.AttachForm) || slices.Contains(o.Attach, policy.AttachStageForm)) {
		data, ok := d.formBytes(stored, o.Form)
		if !ok {
			return nil, "the dispute form that it must carry cannot be found", nil
		}
		letter.Files = append(letter.Files, notice.File{Name: o.Form.Name, Type: wordDocument, Data: data})
		withForm = true
	}
	var out []Envelope
	at := d.Now()
	for i, person := range slices.Concat(to, cc) {
		e := Envelope{Key: o.Key, Dispute: o.Dispute, Reason: o.Reason, Person: person.ID, Role: person.Role, Address: person.Address, To: to, Cc: cc,
			ReplyTo: replyTo, At: at, WithForm: withForm, Stage: o.Stage, IsTo: i < len(to)}
		if e.Message, err = d.Mail.Make(e, letter); err != nil {
			return nil, "", err
		}
		out = append(out, e)
	}
	return out, "", nil
}

// email puts an effect into words, with the numbers under which people find the children.
func (d *Daemon) email(ctx context.Context, o Outgoing, c reconcile.Case) (notice.Letter, error) {
	known, err := d.numbers(ctx, c.File.Subject.Children, nil)
	if err != nil {
		return notice.Letter{}, err
	}
	c.File.Subject.Children = known.allNow(c.File.Subject.Children)
	return d.Writer.Email(c.Policy, o.Effect, c.File)
}

// makeReports renders a report for each person apart: what one may see, another may not, and neither is shown the other.
func (d *Daemon) makeReports(ctx context.Context, o Outgoing, to []Person) ([]Envelope, string, error) {
	var out []Envelope
	for _, person := range to {
		letter, err := d.reportLetter(ctx, o.Effect, titleOf(d.Policies, person.Role), person.Cleared)
		if err != nil {
			return nil, "", err
		}
		e := Envelope{Key: o.Key, Reason: o.Reason, Person: person.ID, Role: person.Role, Address: person.Address, To: []Person{person}, At: d.Now(), IsTo: true}
		if e.Message, err = d.Mail.Make(e, letter); err != nil {
			return nil, "", err
		}
		out = append(out, e)
	}
	return out, "", nil
}

func (d *Daemon) formBytes(stored Stored, form drp.FormPart) ([]byte, bool) {
	for _, ev := range stored.Evidence {
		if ev.ID == form.Evidence {
			return d.FormOf(ev, form.Digest)
		}
	}
	return nil, false
}

// pause is how long to wait after a number of tries: 5 minutes, doubled each time, 4 hours at most.
func pause(tries int) time.Duration {
	return min(5*time.Minute<<min(tries, 10), 4*time.Hour)
}

// Gates are the settings of the gates.
type Gates struct {
	GoLive      workday.Date // effects of earlier days do not go
	Shadow      bool         // decide, and let nothing out
	MaxEmails   int          // in one cycle; more hold everything
	From, Until int          // the hours of working days in which email leaves; 0 and 24: always
}

// The names of settings in the ledger.
const (
	settingPaused = "paused"
	settingGuard  = "guard"
	settingDay    = "last day"

	SettingRemark = "remark/" // and the source: what is to be looked at there
)

// gatekeeper asks the gates, in order, whether an effect may go.
type gatekeeper struct {
	Gates
	paused, guarded bool
	emails          int
	now             time.Time
	cal             *workday.Calendar
}

// over says whether this cycle would send more than it may.
func (g *gatekeeper) over(out []Outgoing, sent int) bool {
	for _, o := range out {
		if o.Kind == drp.Email && o.Life != drp.Held {
			g.emails++
		}
	}
	return !g.guarded && g.MaxEmails > 0 && g.emails+sent > g.MaxEmails
}

func (g *gatekeeper) refuse(e drp.Effect) (gate, why string) {
	switch {
	case e.On < g.GoLive:
		return "go-live", fmt.Sprintf("it fell due on %s, before drpd went live on %s", e.On, g.GoLive)
	case g.Shadow:
		return "shadow", "drpd runs in shadow mode"
	case g.paused && !e.Urgent:
		return "paused", "output is paused: drpd resume"
	case g.guarded && e.Kind == drp.Email && !e.Urgent:
		return "guard", "too many emails in one cycle: look at them with drpd outbox, then drpd resume"
	case e.Screened != "":
		return "screen", e.Screened
	case e.Kind == drp.Email && !e.Urgent && e.Reason != drp.ReasonReport && !g.window(): // a report is there before the day begins
		return "window", "email leaves in the send window of working days"
	}
	return "", ""
}

func (g *gatekeeper) window() bool {
	if g.From == 0 && g.Until == 24 {
		return true
	}
	working, _, err := g.cal.Working(workday.DateOf(g.now))
	return err == nil && working && g.now.Hour() >= g.From && g.now.Hour() < g.Until
}
