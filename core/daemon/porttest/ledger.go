package porttest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"drpd/core/drp"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// Ledger is a daemon.Ledger in memory. It passes the same suite as the real ones, and like them stores nothing once drpd was
// told to stop.
type Ledger struct {
	*state
	fence int64 // of the lease that was taken here; 0: none was
}

// state is what all who opened the ledger share.
type state struct {
	mu        sync.Mutex
	zone      *time.Location
	holder    string
	until     time.Time
	asked     time.Time // until when another asks for the lease
	taken     int64     // how often the lease was taken
	settings  map[port.Setting]string
	sources   map[string]*source
	gaps      []reconcile.Gap
	evidence  map[string]*kept
	disputes  map[string]*dispute
	effects   map[string]*effect
	conflicts map[string][]drp.Conflict
	absences  []drp.Absence
	flipped   map[string]bool // payloads that cannot be read
}

type source struct {
	cursor []byte
	failed time.Time
	read   time.Time
	why    string
}

type kept struct {
	drp.Evidence
	state, dispute, reason string
	children               []string
	unread                 *port.Unread
}

type dispute struct {
	drp.Dispute
	policy, inputs    string
	revision, decided int64
	decidedOn         workday.Date
	closed            bool
	summary           port.Summary
	look              time.Time
	holders           string
	lacks             string
}

type effect struct {
	drp.Effect
	life       drp.Life
	basis      int64
	heldBy     string
	why        string
	at         time.Time
	decided    time.Time
	seq        int
	released   bool
	anyway     bool
	deliveries []*delivery
}

type delivery struct {
	port.Envelope
	life      drp.Life
	tries     int
	notBefore time.Time
	carried   string // the digest that made it
}

// NewLedger makes an empty one.
func NewLedger(zone *time.Location) *Ledger {
	return &Ledger{state: &state{zone: zone, settings: map[port.Setting]string{}, sources: map[string]*source{}, evidence: map[string]*kept{},
		disputes: map[string]*dispute{}, effects: map[string]*effect{}, conflicts: map[string][]drp.Conflict{},
		flipped: map[string]bool{}}}
}

// Another opens the same ledger a second time, as another process does.
func (l *Ledger) Another() *Ledger { return &Ledger{state: l.state} }

func (l *Ledger) lock() func() { l.mu.Lock(); return l.mu.Unlock }

// mayWrite says whether a transaction may begin.
func (l *Ledger) mayWrite(ctx context.Context) error {
	defer l.lock()()
	if l.fence != 0 && l.fence != l.taken {
		return port.ErrLeaseLost
	}
	return ctx.Err()
}

// Lease implements daemon.Ledger.
func (l *Ledger) Lease(_ context.Context, holder string, now time.Time, length time.Duration) error {
	defer l.lock()()
	if l.holder != "" && l.holder != holder && l.until.After(now) {
		return &port.HeldError{Holder: l.holder, Until: l.until, Left: l.until.Sub(now)}
	}
	l.taken++
	l.holder, l.until, l.asked, l.fence = holder, now.Add(length), time.Time{}, l.taken
	return nil
}

// RenewLease implements daemon.Ledger.
func (l *Ledger) RenewLease(ctx context.Context, now time.Time, length time.Duration) (asked bool, err error) {
	if err := l.mayWrite(ctx); err != nil {
		return false, err
	}
	defer l.lock()()
	if !l.until.After(now) {
		return false, port.ErrLeaseLost
	}
	l.until = now.Add(length)
	return l.asked.After(now), nil
}

// AskLease implements daemon.Ledger.
func (l *Ledger) AskLease(_ context.Context, now time.Time, length time.Duration) error {
	defer l.lock()()
	l.asked = now.Add(length)
	return nil
}

// EndLease implements daemon.Ledger.
func (l *Ledger) EndLease(_ context.Context, holder string) error {
	defer l.lock()()
	if l.holder == holder {
		l.until = time.Time{}
	}
	return nil
}

// Cursor implements daemon.Ledger.
func (l *Ledger) Cursor(_ context.Context, name string) ([]byte, error) {
	defer l.lock()()
	return slices.Clone(l.source(name).cursor), nil
}

func (l *Ledger) source(name string) *source {
	if l.sources[name] == nil {
		l.sources[name] = &source{}
	}
	return l.sources[name]
}

func (l *Ledger) add(ev drp.Evidence, state, ref string) {
	if l.evidence[ev.ID] == nil {
		ev.Learned = ev.Learned.UTC().Truncate(time.Millisecond)
		l.evidence[ev.ID] = &kept{Evidence: ev, state: state, dispute: ref}
	}
}

// Ingest implements daemon.Ledger.
func (l *Ledger) Ingest(ctx context.Context, name string, batch []drp.Evidence, cursor []byte, now time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	s := l.source(name)
	for _, ev := range batch {
		ev.Learned = port.ReadAfter(s.read, ev.Learned, l.zone)
		l.add(ev, "new", "")
	}
	if !s.failed.IsZero() {
		l.gaps = append(l.gaps, reconcile.Gap{Source: name, From: l.day(s.failed), Until: l.day(now)})
	}
	s.cursor, s.failed, s.read, s.why = slices.Clone(cursor), time.Time{}, port.ReadAfter(s.read, now, l.zone), ""
	return nil
}

func (l *Ledger) day(t time.Time) workday.Date { return workday.DateOf(t.In(l.zone)) }

// Body implements daemon.Ledger.
func (l *Ledger) Body(_ context.Context, id string) ([]byte, error) {
	defer l.lock()()
	k := l.evidence[id]
	if k == nil {
		return nil, nil
	}
	if err := l.damaged(k.sealed()); err != nil {
		return nil, err
	}
	return slices.Clone(k.Body), nil
}

// SourceFailed implements daemon.Ledger.
func (l *Ledger) SourceFailed(ctx context.Context, name, why string, now time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	if s := l.source(name); s.failed.IsZero() {
		s.failed, s.why = now, why
		if until := s.read.Add(port.CountsAsRead); !s.read.IsZero() && until.Before(now) {
			s.failed = until
		}
	}
	return nil
}

// Sources implements daemon.Ledger.
func (l *Ledger) Sources(context.Context) ([]port.Health, error) {
	defer l.lock()()
	var out []port.Health
	for _, name := range slices.Sorted(maps.Keys(l.sources)) {
		s, h := l.sources[name], port.Health{Name: name}
		if !s.read.IsZero() {
			h.ReadAt = s.read.UnixMilli()
		}
		if !s.failed.IsZero() {
			h.FailedSince, h.Why = s.failed.UnixMilli(), s.why
		}
		if h.ReadAt+h.FailedSince > 0 { // asked for its cursor, and no more
			out = append(out, h)
		}
	}
	return out, nil
}

// Gaps implements daemon.Ledger.
func (l *Ledger) Gaps(context.Context) ([]reconcile.Gap, error) {
	defer l.lock()()
	out := slices.Clone(l.gaps)
	for _, name := range slices.Sorted(maps.Keys(l.sources)) {
		if s := l.sources[name]; !s.failed.IsZero() {
			out = append(out, reconcile.Gap{Source: name, From: l.day(s.failed)})
		}
	}
	slices.SortStableFunc(out, func(a, b reconcile.Gap) int {
		if c := strings.Compare(a.Source, b.Source); c != 0 {
			return c
		}
		return int(a.From - b.From)
	})
	return out, nil
}

func (l *Ledger) some(want func(*kept) bool) []drp.Evidence {
	var found []*kept
	for _, k := range l.evidence {
		if want(k) {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b *kept) int {
		return cmp.Or(a.Learned.Compare(b.Learned), strings.Compare(a.ID, b.ID))
	})
	out := make([]drp.Evidence, len(found))
	for i, k := range found {
		out[i] = k.Evidence
		out[i].Body = nil
	}
	return out
}

// Waiting implements daemon.Ledger.
func (l *Ledger) Waiting(context.Context) ([]drp.Evidence, error) {
	defer l.lock()()
	return l.some(func(k *kept) bool { return k.state == "new" || k.state == port.PlaceWaiting }), nil
}

// Disputes implements daemon.Ledger.
func (l *Ledger) Disputes(context.Context) ([]drp.Dispute, error) {
	defer l.lock()()
	var out []drp.Dispute
	for _, ref := range slices.Sorted(maps.Keys(l.disputes)) {
		k := l.disputes[ref].Dispute
		k.Revision = l.disputes[ref].revision
		out = append(out, k)
	}
	return out, nil
}

// Unread implements daemon.Ledger.
func (l *Ledger) Unread(context.Context) (out []port.Unread, err error) {
	defer l.lock()()
	for id, k := range l.evidence {
		if k.unread != nil && (k.state == port.PlaceQuarantine || k.state == port.PlaceWaiting) {
			u := *k.unread
			u.Evidence, u.Dispute, u.Came = id, k.dispute, k.Learned.UTC()
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b port.Unread) int {
		return cmp.Or(int(a.Sent-b.Sent), strings.Compare(a.Evidence, b.Evidence))
	})
	return out, nil
}

// Questions implements daemon.Ledger.
func (l *Ledger) Questions(context.Context) (out []port.Question, err error) {
	defer l.lock()()
	for _, ev := range l.some(func(k *kept) bool { return k.dispute != "" && (k.state == "new" || k.state == port.PlaceWaiting) }) {
		if ev.Kind != drp.Row {
			continue
		}
		out = append(out, port.Question{Evidence: ev, Dispute: l.evidence[ev.ID].dispute, Why: l.evidence[ev.ID].reason})
	}
	return out, nil
}

// Place implements daemon.Ledger.
func (l *Ledger) Place(ctx context.Context, p port.Placement) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	k := l.evidence[p.Evidence]
	if k == nil {
		return nil
	}
	if k.state == p.Where && k.dispute == p.Dispute && k.reason == p.Reason {
		k.unread = cmp.Or(k.unread, p.Unread)
		return nil
	}
	if d := l.disputes[p.Dispute]; d != nil && p.Where == port.PlaceDispute && p.Taken(d.Dispute) {
		return port.ErrTaken
	}
	if err := l.resealed(k, p); err != nil {
		return breaks(ctx, err)
	}
	for _, ev := range p.Copies {
		ev.Body = k.Body
		l.add(ev, "new", "")
	}
	if p.New != nil {
		for _, d := range l.disputes {
			if p.Record != "" && d.Record == p.Record {
				d.Record, d.revision, d.closed = "", d.revision+1, false
			}
		}
		n := *p.New
		n.Children = nil
		l.disputes[n.Ref] = &dispute{Dispute: n, policy: p.Policy, revision: 1}
	}
	if d := l.disputes[k.dispute]; d != nil && k.dispute != p.Dispute { // it is in question for that one no more
		d.revision, d.closed = d.revision+1, false
	}
	k.state, k.dispute, k.reason, k.children = p.Where, p.Dispute, p.Reason, p.Children
	if p.Unread != nil {
		k.unread = p.Unread
		if d := l.disputes[p.Dispute]; p.Where == port.PlaceQuarantine && d != nil {
			d.revision++
			d.closed = false
		}
	}
	switch p.Where {
	case port.PlaceWaiting:
		if d := l.disputes[p.Dispute]; d != nil {
			d.revision, d.closed = d.revision+1, false
		}
	case port.PlacePeople:
		for _, d := range l.disputes {
			if !d.closed && slices.ContainsFunc(p.Children, func(c string) bool { return slices.Contains(d.Children, c) }) {
				d.revision++
			}
		}
	case port.PlaceDispute:
		d := l.disputes[p.Dispute]
		if p.Instead {
			d.Children = nil
		}
		d.Children = append(d.Children, p.Children...)
		slices.Sort(d.Children)
		d.Children = slices.Compact(d.Children)
		if d.Record == "" || p.Moved && p.Record != "" {
			d.Record = p.Record
		}
		if p.Theme != "" {
			d.Theme = p.Theme
		}
		d.revision++
		d.closed = false
	}
	l.became(p)
	return nil
}

func (l *Ledger) became(p port.Placement) {
	for _, b := range p.Became {
		e := l.effects[b.Effect]
		if e == nil {
			continue
		}
		told, anew := false, false
		for _, d := range e.deliveries {
			if d.Person == b.Person && d.tries > 0 && b.Returned {
				d.life, told, anew = drp.Failed, true, d.carried != ""
			}
		}
		if !told || e.life == drp.Cancelled {
			continue
		}
		e.life = e.lifeNow()
		if anew && !slices.ContainsFunc(e.deliveries, func(d *delivery) bool { return d.life == drp.Accepted }) {
			e.life, e.deliveries = drp.Decided, nil
		}
		if d := l.disputes[e.Dispute]; anew && d != nil {
			d.revision, d.closed = d.revision+1, false
		}
	}
	for _, a := range p.Absent {
		a.Evidence = p.Evidence
		l.absences = append(l.absences, a)
	}
	for i, a := range l.absences {
		if slices.Contains(p.Seen, a.Person) && a.From < p.SeenOn && (a.Until.IsZero() || a.Until >= p.SeenOn) {
			l.absences[i].Until = p.SeenOn - 1
		}
	}
}

// Sent implements daemon.Ledger.
func (l *Ledger) Sent(_ context.Context, key, person string) (port.Envelope, bool, error) {
	defer l.lock()()
	e := l.effects[key]
	if e == nil {
		return port.Envelope{}, false, nil
	}
	for _, d := range e.deliveries {
		if d.Person == person && d.tries > 0 {
			if err := cmp.Or(l.damaged(e.sealed(), d.sealed(e)), l.lostInside(key)); err != nil {
				return port.Envelope{}, false, err
			}
			v := d.Envelope
			v.Dispute, v.Reason, v.Stage, v.Message, v.Carries = e.Dispute, e.Reason, e.Stage, nil, l.carries(key)
			return v, true, nil
		}
	}
	return port.Envelope{}, false, nil
}

// Witness implements daemon.Ledger.
func (l *Ledger) Witness(_ context.Context, route string, before time.Time) (out port.Envelope, found bool, err error) {
	defer l.lock()()
	var latest time.Time
	var sealed []Flipped
	for _, e := range l.ordered() {
		for _, d := range e.deliveries {
			if d.Route == route && d.carried == "" && d.life == drp.Accepted && e.at.Before(before) && (!found || e.at.After(latest)) {
				out, found, latest = d.Envelope, true, e.at
				out.Message = nil
				sealed = []Flipped{e.sealed(), d.sealed(e)}
			}
		}
	}
	if err := l.damaged(sealed...); err != nil {
		return port.Envelope{}, false, err
	}
	return out, found, nil
}

// SentSince implements daemon.Ledger.
func (l *Ledger) SentSince(_ context.Context, since time.Time) (map[string]int, error) {
	defer l.lock()()
	out := make(map[string]int)
	for _, e := range l.effects {
		for _, d := range e.deliveries {
			if e.Kind == drp.Email && d.carried == "" && d.life == drp.Accepted && !e.at.Before(since) {
				out[d.Role]++
			}
		}
	}
	return out, nil
}

// Absences implements daemon.Ledger.
func (l *Ledger) Absences(context.Context) ([]drp.Absence, error) {
	defer l.lock()()
	out := slices.Clone(l.absences)
	slices.SortStableFunc(out, func(a, b drp.Absence) int {
		return cmp.Or(int(a.From-b.From), strings.Compare(a.Person, b.Person), strings.Compare(a.Evidence, b.Evidence))
	})
	return out, nil
}

// People implements daemon.Ledger.
func (l *Ledger) People(_ context.Context, children []string) ([]drp.Evidence, error) {
	defer l.lock()()
	return l.some(func(k *kept) bool {
		return k.state == port.PlacePeople && slices.ContainsFunc(k.children, func(c string) bool { return slices.Contains(children, c) })
	}), nil
}

// Due implements daemon.Ledger.
func (l *Ledger) Due(_ context.Context, today workday.Date, inputs string, now time.Time) ([]string, error) {
	defer l.lock()()
	var out []string
	for _, ref := range slices.Sorted(maps.Keys(l.disputes)) {
		if l.disputes[ref].due(today, inputs, now) {
			out = append(out, ref)
		}
	}
	return out, nil
}

func (d *dispute) due(today workday.Date, inputs string, now time.Time) bool {
	return d.decided < d.revision || !d.closed && (d.decidedOn != today || d.inputs != inputs) || !d.look.IsZero() && !d.look.After(now)
}

// tallied counts what it is given under its words, the empty one apart.
type tallied map[string]port.Tally

func (c tallied) add(what, one string) {
	if t := c[what]; what != "" {
		c[what] = port.Tally{What: what, Count: t.Count + 1, One: cmp.Or(t.One, one)}
	}
}

func (c tallied) sorted() (out []port.Tally) {
	for _, what := range slices.Sorted(maps.Keys(c)) {
		out = append(out, c[what])
	}
	return out
}

// Unproved implements daemon.Ledger.
func (l *Ledger) Unproved(_ context.Context, today workday.Date, inputs string, now time.Time) ([]port.Tally, error) {
	defer l.lock()()
	all := tallied{}
	for _, ref := range slices.Sorted(maps.Keys(l.disputes)) {
		switch d := l.disputes[ref]; {
		case d.due(today, inputs, now):
			all.add(port.LackUndecided, ref)
		case d.Open:
			all.add(d.lacks, ref)
		}
	}
	return all.sorted(), nil
}

// Stuck implements daemon.Ledger.
func (l *Ledger) Stuck(_ context.Context, now time.Time) ([]port.Tally, error) {
	defer l.lock()()
	all := tallied{}
	for _, key := range slices.Sorted(maps.Keys(l.effects)) {
		e := l.effects[key]
		waits := slices.ContainsFunc(e.deliveries, func(d *delivery) bool {
			return d.life == drp.Attempted && (d.carried != "" || d.notBefore.After(now))
		})
		switch {
		case e.life == drp.Failed && e.Kind != drp.Email:
			all.add("failed/"+string(e.Kind), key)
		case l.current(e) && (e.life == drp.Decided || e.life == drp.Made || e.life == drp.Attempted && e.heldBy == "" && e.past().Open && !waits):
			all.add(string(e.Kind), key)
		}
	}
	return all.sorted(), nil
}

// Ahead implements daemon.Book: to read from memory costs nothing.
func (l *Ledger) Ahead(context.Context, []string) error { return nil }

// Load implements daemon.Book.
func (l *Ledger) Load(_ context.Context, ref string) (port.Stored, error) {
	defer l.lock()()
	d := l.disputes[ref]
	if d == nil {
		return port.Stored{}, errNoDispute
	}
	if err := l.lostPast(ref); err != nil {
		return port.Stored{}, err
	}
	return port.Stored{Dispute: d.Dispute, Policy: d.policy, Holders: d.holders, Revision: d.revision, Decided: d.decidedOn,
		Evidence: l.some(func(k *kept) bool { return k.dispute == ref && k.state == port.PlaceDispute }), Past: l.past(ref)}, nil
}

func (l *Ledger) past(ref string) []drp.Past {
	var found []*effect
	for _, e := range l.effects {
		if e.Dispute == ref {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, bySeq)
	out := make([]drp.Past, len(found))
	for i, e := range found {
		out[i] = e.past()
	}
	return out
}

func (l *Ledger) ordered() []*effect {
	return slices.SortedFunc(maps.Values(l.effects), bySeq)
}

func bySeq(a, b *effect) int { return a.seq - b.seq }

func (e *effect) past() drp.Past {
	p := drp.Past{Effect: e.Effect, Life: e.life, HeldBy: e.heldBy, Why: e.why, At: e.at, Decided: e.decided}
	for _, d := range e.deliveries {
		p.Tried = append(p.Tried, d.Role)
		switch d.life {
		case drp.Accepted:
			p.Reached = append(p.Reached, d.Role)
		case drp.Made, drp.Attempted:
			p.Open = true
		}
	}
	return p
}

// Decide implements daemon.Ledger.
func (l *Ledger) Decide(ctx context.Context, batch []port.Decided) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	for _, x := range batch {
		d := l.disputes[x.Ref]
		if d == nil || d.revision != x.Basis {
			continue
		}
		d.decided, d.decidedOn, d.inputs, d.closed, d.summary = x.Basis, x.Today, x.Inputs, x.Closed, x.Summary
		d.look, d.holders, d.lacks = x.LookAgain, x.Holders, x.Lacks
		d.Open, d.Resolved, d.Raised = x.Summary.Ended.IsZero(), x.Resolved, x.Summary.Raised
		l.conflicts[x.Ref] = x.Conflicts
		wanted := map[string]bool{}
		for _, e := range x.Effects {
			wanted[e.Key] = true
			l.want(e, x.Basis, x.Now)
		}
		for _, e := range l.effects {
			p := e.past()
			open := e.life == drp.Decided || e.life == drp.Made || e.life == drp.Held || p.Open
			if e.Dispute != x.Ref || wanted[e.Key] || !open || e.life == drp.Cancelled {
				continue
			}
			e.why = "no longer wanted"
			if !p.Sent() {
				e.life = drp.Cancelled
			} else if len(p.Reached) > 0 {
				e.life = drp.Accepted
			}
			for _, v := range e.deliveries {
				if v.life == drp.Made || v.life == drp.Attempted {
					v.life = drp.Cancelled
				}
			}
		}
	}
	return nil
}

func (l *Ledger) want(e drp.Effect, basis int64, now time.Time) {
	old := l.effects[e.Key]
	switch {
	case old == nil:
		l.effects[e.Key] = &effect{Effect: e, life: drp.Decided, basis: basis, at: now, decided: now, seq: len(l.effects)}
	case old.life == drp.Cancelled:
		old.life, old.basis, old.deliveries, old.heldBy, old.why, old.released, old.anyway = drp.Decided, basis, nil, "", "", false, false
	default:
		old.basis = basis
	}
}

// AddEffects implements daemon.Ledger.
func (l *Ledger) AddEffects(ctx context.Context, effects []drp.Effect, now time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	for _, e := range effects {
		if l.effects[e.Key] == nil {
			l.want(e, 0, now)
		}
	}
	return nil
}

// Kept implements daemon.Ledger.
func (l *Ledger) Kept(context.Context) (out port.Kept, err error) {
	defer l.lock()()
	for _, k := range l.evidence {
		switch k.state {
		case port.PlaceQuarantine:
			out.Quarantined++
		case port.PlaceWaiting:
			out.Waiting++
		default:
			continue
		}
		if k.Kind != drp.Message {
			continue
		}
		if out.Messages++; out.Oldest.IsZero() || k.Learned.Before(out.Oldest) {
			out.Oldest = k.Learned
		}
	}
	return out, nil
}

func (l *Ledger) current(e *effect) bool {
	return e.Dispute == "" || l.disputes[e.Dispute] != nil && l.disputes[e.Dispute].revision == e.basis
}

func going(life drp.Life) bool {
	return life == drp.Decided || life == drp.Made || life == drp.Held || life == drp.Attempted
}

// Outbox implements daemon.Ledger.
func (l *Ledger) Outbox(_ context.Context, now time.Time, stays func(port.Waits) bool) ([]port.Outgoing, error) {
	defer l.lock()()
	var out []port.Outgoing
	for _, e := range l.ordered() {
		if !going(e.life) || !l.current(e) {
			continue
		}
		if stays != nil && e.life == drp.Held && !e.released && !e.anyway && len(e.deliveries) == 0 &&
			stays(port.Waits{Key: e.Key, Gate: e.heldBy, Basis: e.basis}) {
			continue
		}
		o := port.Outgoing{Past: e.past(), Basis: e.basis, Released: e.released, Anyway: e.anyway, Unmade: len(e.deliveries) == 0}
		for _, d := range e.deliveries {
			if (d.life == drp.Made || d.life == drp.Attempted && d.carried == "") && !d.notBefore.After(now) {
				v := d.Envelope
				v.AlreadyTrying, v.Tries, v.Carries = d.life == drp.Attempted, d.tries, l.carries(e.Key)
				o.Deliveries = append(o.Deliveries, v)
			}
		}
		whole := o.Unmade || len(o.Deliveries) > 0
		if err := l.lost(e, o); err != nil {
			o.Damaged, o.Deliveries = err.Error(), nil
		}
		if l.damaged(e.sealed()) != nil {
			o.Past = outside(o.Past)
		}
		if whole || o.Damaged != "" {
			out = append(out, o)
		}
	}
	return out, nil
}

// Make implements daemon.Ledger.
func (l *Ledger) Make(ctx context.Context, deliveries []port.Envelope, _ time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	for _, v := range deliveries {
		e := l.effects[v.Key]
		if i := slices.IndexFunc(e.deliveries, func(d *delivery) bool { return d.Person == v.Person }); i < 0 {
			e.deliveries = append(e.deliveries, &delivery{Envelope: v, life: drp.Made})
		} else if old := e.deliveries[i]; old.life == drp.Made {
			old.Message, old.At, old.Route = v.Message, v.At, v.Route
			delete(l.flipped, old.sealed(e).name()) // it is sealed anew
		}
		if e.life == drp.Decided || e.life == drp.Held {
			e.life, e.heldBy, e.why = drp.Made, "", ""
		}
	}
	return nil
}

// Hold implements daemon.Ledger.
func (l *Ledger) Hold(ctx context.Context, key, gate, why string, _ time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	e := l.effects[key]
	e.heldBy, e.why = gate, why
	if e.life != drp.Attempted {
		e.life = drp.Held
	}
	return nil
}

// SettleAndClaim implements daemon.Ledger.
func (l *Ledger) SettleAndClaim(ctx context.Context, done []port.Settled, next []port.Envelope, _ time.Time) ([]bool, error) {
	if err := l.mayWrite(ctx); err != nil {
		return nil, err
	}
	defer l.lock()()
	l.settle(done)
	return l.claim(next), nil
}

func (l *Ledger) claim(batch []port.Envelope) []bool {
	out := make([]bool, len(batch))
	for i, v := range batch {
		if v.Digest != nil && !l.claimDigest(v) {
			continue
		}
		e := l.effects[v.Key]
		if e == nil || !going(e.life) || !l.current(e) {
			continue
		}
		for _, d := range e.deliveries {
			if d.Person == v.Person && (d.life == drp.Made || d.life == drp.Attempted) {
				e.life, e.heldBy, e.why = drp.Attempted, "", ""
				d.life, d.notBefore = drp.Attempted, v.NotBefore
				d.tries++
				out[i] = true
			}
		}
	}
	return out
}

// claimDigest keeps a digest with what it carries, if all of that is still to go.
func (l *Ledger) claimDigest(v port.Envelope) bool {
	var members []*delivery
	for _, m := range v.Carries {
		e := l.effects[m.Key]
		if e == nil || !going(e.life) || !l.current(e) {
			return false
		}
		i := slices.IndexFunc(e.deliveries, func(d *delivery) bool { return d.Person == m.Person && d.life == drp.Made })
		if i < 0 {
			return false
		}
		members = append(members, e.deliveries[i])
	}
	l.want(*v.Digest, 0, v.At)
	kept := v
	kept.Carries, kept.Digest = nil, nil
	l.effects[v.Key].deliveries = []*delivery{{Envelope: kept, life: drp.Made}}
	for i, d := range members {
		e := l.effects[v.Carries[i].Key]
		e.life, e.heldBy, e.why = drp.Attempted, "", ""
		d.life, d.carried = drp.Attempted, v.Key
		d.tries++
	}
	return true
}

// carries gives the deliveries that a digest makes.
func (l *Ledger) carries(digest string) (out []port.Envelope) {
	for _, e := range l.ordered() {
		for _, d := range e.deliveries {
			if d.carried == digest {
				v := d.Envelope
				v.Dispute, v.Reason, v.Stage, v.Tries, v.Message = e.Dispute, e.Reason, e.Stage, d.tries, nil
				v.AlreadyTrying = d.life == drp.Attempted
				out = append(out, v)
			}
		}
	}
	return out
}

// Reminded implements daemon.Ledger.
func (l *Ledger) Reminded(_ context.Context, since time.Time) (map[string]bool, error) {
	defer l.lock()()
	out := make(map[string]bool)
	for _, e := range l.effects {
		for _, d := range e.deliveries {
			if e.Kind == drp.Email && d.life == drp.Accepted && !e.at.Before(since) && slices.Contains(drp.Reminders(), e.Reason) {
				out[d.Person] = true
			}
		}
	}
	return out, nil
}

func (l *Ledger) settle(batch []port.Settled) {
	for _, s := range batch {
		e := l.effects[s.Key]
		if e == nil {
			continue
		}
		for _, d := range e.deliveries {
			if d.Person == s.Person {
				if d.life, d.notBefore = s.Life, s.Again; s.Life == drp.Made {
					d.carried = ""
				}
				if s.Unsent {
					d.tries--
				}
			}
		}
		e.life, e.why, e.heldBy, e.at = e.lifeNow(), s.Why, s.Gate, s.Now
		if s.Absent != nil {
			l.absences = append(l.absences, *s.Absent)
		}
		if e.Dispute == "" {
			continue
		}
		if s.Receipt != nil {
			l.add(*s.Receipt, port.PlaceDispute, e.Dispute)
		}
		l.disputes[e.Dispute].revision++
		l.disputes[e.Dispute].closed = false
	}
}

func (e *effect) lifeNow() drp.Life {
	var parts []port.Part
	for _, d := range e.deliveries {
		parts = append(parts, port.Part{Person: d.Person, Life: d.life, IsTo: d.IsTo})
	}
	return port.LifeOf(parts)
}

// Setting implements daemon.Ledger.
func (l *Ledger) Setting(_ context.Context, name port.Setting) (string, error) {
	defer l.lock()()
	return l.settings[name], nil
}

// SetSetting implements daemon.Ledger.
func (l *Ledger) SetSetting(ctx context.Context, name port.Setting, value, _ string, _ time.Time) error {
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	defer l.lock()()
	if value == "" {
		delete(l.settings, name)
	} else {
		l.settings[name] = value
	}
	if name == port.Restored && value != "" { // what a person has let go was known before
		for _, e := range l.effects {
			e.anyway = false
		}
	}
	return nil
}

// KeptIDs gives the evidence that belongs to no dispute.
func (l *Ledger) KeptIDs(context.Context) ([]string, error) {
	defer l.lock()()
	var out []string
	for id, k := range l.evidence {
		if k.state != port.PlaceDispute {
			out = append(out, id)
		}
	}
	return out, nil
}

// Weight implements daemon.Ledger.
func (l *Ledger) Weight(_ context.Context, dispute string) (pieces int, bytes int64, err error) {
	defer l.lock()()
	for _, k := range l.evidence {
		if k.state == port.PlaceDispute && k.dispute == dispute {
			pieces, bytes = pieces+1, bytes+int64(len(k.Body))
		}
	}
	return pieces, bytes, nil
}
