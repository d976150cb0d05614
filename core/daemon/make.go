package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/letter"
	"drpd/core/policy"
	"drpd/core/port"
	"drpd/core/reconcile"
	"drpd/core/workday"
)

// composed is an effect put into words, and the people who get it: to first, then cc.
type composed struct {
	to, cc   []port.Person
	replyTo  port.Person
	withForm bool
	letter   func(to port.Person, isTo bool) ([]letter.Letter, error) // for one person; several where it does not fit into one message
	apart    bool                                                     // each gets their own, and is not shown the others
	vacant   []string                                                 // the roles to be copied in that nobody holds
}

// holding gives those who hold a role.
type holding func(role string, children []string, on workday.Date) []drp.Holder

// make resolves the roles and renders one message a person. A role to which it is addressed and that nobody holds blocks the
// effect; one that is only copied in does not. A person to whom no route leads is left for later, and the others get theirs.
// why says what keeps the whole effect from being made.
func (d *round) make(ctx context.Context, o port.Outgoing, c reconcile.Case, stored port.Stored) (out []port.Envelope, why string,
	err error) {
	x, why, err := d.compose(ctx, o, c, stored)
	if err != nil || why != "" {
		return nil, why, err
	}
	held, made := port.Held{}, false
	if err := d.missing(ctx, o, c, x.vacant); err != nil {
		return nil, "", err
	}
	for i, person := range slices.Concat(x.to, x.cc) {
		if !o.For(person.Role) {
			continue
		}
		parts, err := d.rendered(o, x, person, i < len(x.to))
		if errors.As(err, &held) {
			out = append(out, d.envelope(o, x, person, i < len(x.to))) // nothing is made of it yet
			continue
		}
		if err != nil {
			return nil, "", err
		}
		made = true
		out = append(out, parts...)
	}
	if !made {
		return nil, cmp.Or(held.Why, "whoever is to get it has had it in another role: drpd outbox cancel "+o.Key), nil
	}
	return out, "", nil
}

// missing tells the operator, once, who of those to be copied in does not get an effect: nobody holds the role. The others get
// theirs. Of an alert nothing needs to be said: those who are missing get their own once somebody is there, and it says so.
func (d *Daemon) missing(ctx context.Context, o port.Outgoing, c reconcile.Case, vacant []string) error {
	if len(vacant) == 0 || o.Dispute == "" || o.Reason == drp.ReasonAlert {
		return nil
	}
	titles := make([]string, len(vacant))
	for i, role := range vacant {
		titles[i] = c.Policy.RoleTitle(role)
	}
	says := fmt.Sprintf("an email (%s) of dispute %s goes without: %s; nobody holds these roles today, or has an address: "+
		"add a holder or a deputy to the roster, and tell them by hand", o.Reason, o.Dispute, strings.Join(titles, ", "))
	return d.tell(ctx, says, "missing", o.Key, o.Urgent)
}

// remake makes a message anew: no route led to the person when the effect was made, or the route is another since.
func (d *round) remake(ctx context.Context, o port.Outgoing, c reconcile.Case, stored port.Stored, person string) ([]port.Envelope, error) {
	x, why, err := d.compose(ctx, o, c, stored)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, port.Held{Gate: gateRole, Why: why}
	}
	for i, p := range slices.Concat(x.to, x.cc) {
		if p.ID == person {
			return d.rendered(o, x, p, i < len(x.to))
		}
		if p.ID == drp.WithoutPart(person) {
			return nil, port.Held{Gate: "route", Why: "the route has changed after some parts of the letter went: drpd outbox retry makes the " +
				"rest as it was"}
		}
	}
	return nil, port.Held{Gate: gateRole, Why: "whoever was to get it does not hold the role any more: drpd outbox retry makes it anew"}
}

func (d *Daemon) envelope(o port.Outgoing, x composed, person port.Person, isTo bool) port.Envelope {
	e := port.Envelope{Key: o.Key, Dispute: o.Dispute, Reason: o.Reason, Person: person.ID, Role: person.Role, Address: person.Address,
		To: x.to, Cc: x.cc,
		ReplyTo: x.replyTo, At: d.Now(), WithForm: x.withForm, Stage: o.Stage, IsTo: isTo}
	if x.apart {
		e.To, e.Cc = []port.Person{person}, nil
	}
	return e
}

// rendered makes the messages for one person: one, or several where the route carries no more in one.
func (d *Daemon) rendered(o port.Outgoing, x composed, person port.Person, isTo bool) ([]port.Envelope, error) {
	letters, err := x.letter(person, isTo)
	if err != nil {
		return nil, err
	}
	var out []port.Envelope
	for i, l := range letters {
		e := d.envelope(o, x, person, isTo)
		if i > 0 {
			e.Person = drp.PartOf(e.Person, i+1)
		}
		made, err := d.Mail.Make(e, l)
		if err != nil {
			return nil, err
		}
		e.Message, e.Route = made.Message, made.Route
		out = append(out, e)
	}
	return out, nil
}

// compose resolves the roles of an effect and puts it into words, or says why that must wait.
func (d *round) compose(ctx context.Context, o port.Outgoing, c reconcile.Case, stored port.Stored) (x composed, why string, err error) {
	if x, why = d.recipients(o, c, stored); why != "" {
		return x, why, nil
	}
	if o.Reason == drp.ReasonReport { // what one may see, another may not, and neither is shown the other
		x.apart = true
		x.letter = func(to port.Person, _ bool) ([]letter.Letter, error) {
			l, err := d.reportLetter(ctx, o.Effect, titleOf(d.Policies, to.Role), to.Cleared)
			return []letter.Letter{l}, err
		}
		return x, "", nil
	}
	l, why, err := d.letterOf(ctx, o, c, stored, &x)
	if err != nil || why != "" {
		return x, why, err
	}
	copied := l
	if o.Reason != drp.ReasonPack {
		x, err := d.reminder(ctx, o, c)
		if err != nil {
			return composed{}, "", err
		}
		words, err := d.Writer.Copy(x.Policy, x.Effect, x.File)
		if err != nil {
			return composed{}, "", err
		}
		copied.Subject, copied.Text, copied.HTML = words.Subject, words.Text, words.HTML
	}
	x.letter = func(to port.Person, isTo bool) ([]letter.Letter, error) {
		l := l
		if !isTo {
			l = copied
		}
		return split(l, d.Mail.Room(port.Envelope{Reason: o.Reason, Dispute: o.Dispute, Address: to.Address}, l)), nil
	}
	return x, "", nil
}

// recipients resolves the roles of an effect, or says who is missing.
func (d *Daemon) recipients(o port.Outgoing, c reconcile.Case, stored port.Stored) (x composed, why string) {
	p, roster := c.Policy, c.Roster
	var who holding = roster.Holding
	if o.Deputies {
		who = roster.Deputies
	}
	resolve := func(roles []string, who holding) (out []port.Person, vacant []string) {
		for _, role := range roles {
			holders := who(role, stored.Children, d.today())
			if len(holders) == 0 && o.Reason == drp.ReasonEmergency { // it waits for nobody to be found
				holders = roster.Holding(operator, nil, d.today())
			}
			if len(holders) == 0 || slices.ContainsFunc(holders, func(h drp.Holder) bool { return h.Address.Empty() }) {
				vacant = append(vacant, role)
				continue
			}
			for _, h := range holders {
				if !slices.ContainsFunc(out, func(p port.Person) bool { return p.ID == h.Person }) {
					out = append(out, port.Person{ID: h.Person, Role: role, Name: h.Name, Address: h.Address, Cleared: h.Cleared})
				}
			}
		}
		return out, vacant
	}
	var vacant []string
	x.to, vacant = resolve(o.To, who)
	x.cc, x.vacant = resolve(o.Cc, who)
	if len(o.Only) > 0 { // the others have had it, whoever holds their roles today
		vacant = slices.DeleteFunc(slices.Concat(vacant, x.vacant), func(role string) bool { return !o.For(role) })
	}
	if o.Reason == drp.ReasonEnd && len(x.to) > 0 { // who is there is told, and waits for nobody who is not
		x.vacant, vacant = append(x.vacant, vacant...), nil
	}
	if len(vacant) > 0 {
		return x, "nobody holds the role " + p.RoleTitle(vacant[0]) + " today, or has an address: add a holder or a deputy to the roster"
	}
	x.cc = slices.DeleteFunc(x.cc, func(x2 port.Person) bool {
		return slices.ContainsFunc(x.to, func(y port.Person) bool { return x2.ID == y.ID })
	})
	if owner, _ := resolve(p.Owners(o.Stage), roster.Holding); len(owner) > 0 && o.Reason == drp.ReasonAlert {
		x.replyTo = owner[0]
	}
	return x, ""
}

// letterOf gives the letter of an effect of a dispute, with what it carries.
func (d *Daemon) letterOf(ctx context.Context, o port.Outgoing, c reconcile.Case, stored port.Stored, x *composed) (l letter.Letter,
	why string, err error) {
	if o.Reason == drp.ReasonPack {
		if l, why, err = d.packLetter(ctx, o.Effect); err != nil || why != "" {
			return l, why, err
		}
	} else if l, err = d.email(ctx, o, c); err != nil {
		return l, "", err
	}
	if len(o.Agenda) > 0 {
		papers, err := d.meetingPapers(ctx, o.Effect, c)
		if err != nil {
			return l, "", err
		}
		l.Files = append(l.Files, papers...)
	}
	if o.Form.Digest != "" && (slices.Contains(o.Attach, policy.AttachForm) || slices.Contains(o.Attach, policy.AttachStageForm)) {
		data, ok, err := d.formBytes(ctx, stored, o.Form)
		if err != nil {
			return l, "", fmt.Errorf("the dispute form that it must carry: %w", err)
		}
		if !ok {
			return l, "the dispute form that it must carry cannot be found", nil
		}
		l.Files = append(l.Files, letter.File{Name: o.Form.Name, Type: typeOf(o.Form.Name), Data: data})
		x.withForm = true
	}
	return l, "", nil
}

// email puts an effect into words, with the numbers under which people find the children.
func (d *Daemon) email(ctx context.Context, o port.Outgoing, c reconcile.Case) (letter.Letter, error) {
	x, err := d.reminder(ctx, o, c)
	if err != nil {
		return letter.Letter{}, err
	}
	return d.Writer.Email(x.Policy, x.Effect, x.File)
}

// reminder is what the words of an effect are made from.
func (d *Daemon) reminder(ctx context.Context, o port.Outgoing, c reconcile.Case) (letter.Reminder, error) {
	numbers, err := d.numbers(ctx, c.File.Subject.Children, nil)
	if err != nil {
		return letter.Reminder{}, err
	}
	c.File.Subject.Children = numbers.allNow(c.File.Subject.Children)
	if o.Reason == drp.ReasonReferral {
		o.Also = append(slices.Clone(o.Also), d.packInWords(ctx, o.Dispute)...)
	}
	return letter.Reminder{Policy: c.Policy, Effect: o.Effect, File: c.File}, nil
}

const wordDocument = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// typeOf is the media type of a form, by its name.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".odt":
		return "application/vnd.oasis.opendocument.text"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case ".pdf":
		return "application/pdf"
	case ".html":
		return "text/html"
	case ".txt":
		return "text/plain"
	}
	return wordDocument
}
