package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"drpd/core/drp"
	"drpd/core/layout"
	"drpd/core/policy"
	"drpd/core/reconcile"
)

// Parts that a referral to CAFCASS may be asked to hold, besides the fields of the form and record, each by its name.
const (
	PartForms       = "forms"        // the dispute forms themselves
	PartLegalAdvice = "legal-advice" // that it was taken, and when
	PartChronology  = "chronology"
)

// PackFile is a file that goes along, as it came.
type PackFile struct {
	Name   string
	Digest string // SHA-256, in hexadecimal
	Size   int
	Sent   string // when it came
}

// PackInput is what a referral pack is made of besides the dispute.
type PackInput struct {
	Required []string // the parts that must be there
	Files    []PackFile
}

// Lacks lists the required parts that are not there: those that are missing, and those without which somebody has said it is to go.
func (d *Dispute) Lacks(in PackInput) (missing, without []string) {
	for _, part := range in.Required {
		switch {
		case d.holds(part, in):
		case d.File.HasRuled(drp.AboutWithout, part):
			without = append(without, part)
		default:
			missing = append(missing, part)
		}
	}
	return missing, without
}

func (d *Dispute) holds(part string, in PackInput) bool {
	switch part {
	case PartForms:
		return len(in.Files) > 0
	case PartLegalAdvice:
		return d.has(drp.LegalAdviceTaken)
	case PartChronology:
		return len(d.File.Facts) > 0
	}
	return d.File.Has(part)
}

// Letter is the covering letter of a referral: what is referred, by whom, and what goes along.
func (d *Dispute) Letter(in Input, pack PackInput) Doc {
	owner := d.Policy.RoleTitles(d.Policy.Owners(d.Standing.Stage))
	doc := Doc{Name: "referral-" + d.Ref, Title: "Referral to CAFCASS", About: in.Authority + ", " + in.Today.Long() + ". Dispute " +
		d.Ref + "."}
	doc.Lead = []string{
		fmt.Sprintf("The %s refers this child's case to CAFCASS. The decision to refer is the %s's own; it is recorded below, with its date.",
			owner, owner),
		fmt.Sprintf("The dispute was raised on %s under the procedure \"%s\" and %s. The tier that was asked last is: %s.",
			d.Standing.Raised.Long(), d.Policy.Title, d.unresolved(), d.Standing.Title),
		d.enclosed(pack),
	}
	if f, ok := d.confirmed(); ok && !f.Although.Empty() {
		doc.Lead = append(doc.Lead, Although(d.Case, f))
	}
	if missing := d.without(pack); missing != "" {
		doc.Lead = append(doc.Lead, missing)
	}
	return doc
}

// enclosed says what goes along, as far as it is there.
func (d *Dispute) enclosed(pack PackInput) string {
	parts := []string{"what is asked", "what was done at each stage", "who was told and when"}
	if len(pack.Files) > 0 {
		parts = append(parts, "the forms")
	}
	if d.has(drp.LegalAdviceTaken) {
		parts = append(parts, "the legal advice on record")
	}
	last := len(parts) - 1
	return capital(strings.Join(parts[:last], ", ")) + " and " + parts[last] + " go along with this letter."
}

// unresolved says how long the dispute has lasted, or how it ended.
func (d *Dispute) unresolved() string {
	if d.open() {
		return "is not resolved after " + d.long()
	}
	return fmt.Sprintf("ended on %s (%s), after %s", d.Standing.Ended.Long(), policy.Spaced(string(d.Standing.EndedBy)), d.long())
}

// confirmed is the owner's latest word by which the case is referred.
func (d *Dispute) confirmed() (drp.Fact, bool) {
	for _, f := range slices.Backward(d.File.Facts) {
		if f.Kind == drp.ReferralConfirmed && d.Policy.Refers(f) {
			return f, true
		}
	}
	return drp.Fact{}, false
}

// Although says why a case is referred where the procedure would not refer it, with the owner's reason.
func Although(c reconcile.Case, f drp.Fact) string {
	out := "Referred all the same. Reason given: " + f.Although.Reveal() + "."
	if why := reconcile.NoReferral(c, f.On); why != "" {
		return "The procedure's conditions for a referral do not hold: " + why + ". " + out
	}
	return out
}

// without says what does not go along, and why.
func (d *Dispute) without(pack PackInput) string {
	missing, without := d.Lacks(pack)
	lacks := slices.Concat(missing, without)
	if len(lacks) == 0 {
		return ""
	}
	return fmt.Sprintf("Not in this pack: %s. Reason given: %s.", policy.Spaced(strings.Join(lacks, ", ")), cmp.Or(d.because(), "none yet"))
}

// because gives what the owner said of their decision to refer, where it was written down.
func (d *Dispute) because() string {
	f, _ := d.confirmed()
	return f.Text.Reveal()
}

// Pack is the referral itself (I8, W14).
func (d *Dispute) Pack(in Input, pack PackInput) Doc {
	doc := d.Letter(in, pack)
	var asked [][]Value
	for _, f := range []struct{ name, title string }{{"details", "What it is about"}, {"desired", "What is asked"},
		{"action", "What was done so far"}, {"steps", "The steps that are wanted"}, {"views", "The views of the parties"}} {
		asked = append(asked, []Value{Text(f.title), Text(cmp.Or(d.File.Fields[f.name].Value.Reveal(), "not stated"))})
	}
	doc.Parts = []Part{
		{Title: "Summary", Text: []string{d.summary()},
			Tables: []Table{layout.Pairs(append([][]Value{{Text("Child"), Text(d.child())}}, asked...))}},
		d.chronology(), d.stages(), d.told(), d.decision(pack), d.manifest(pack), d.counts(),
	}
	return doc
}

// decision shows the legal advice on record, and the decision to refer with its confirmation.
func (d *Dispute) decision(pack PackInput) Part {
	var rows [][]Value
	for _, f := range d.File.Facts {
		what := map[drp.FactKind]string{drp.LegalAdviceTaken: "Legal advice taken", drp.ReferralAgreed: "Referral agreed",
			drp.ReferralConfirmed: "Referral confirmed", drp.ReferralDeclined: "Referral declined"}[f.Kind]
		if what != "" {
			rows = append(rows, []Value{Day(f.On), Text(what), Text(d.by(f)), Text(f.Source), Text(f.Text.Reveal())})
		}
	}
	part := Part{Title: "Legal advice and the decision", Tables: []Table{table("Decision", []Column{
		{Title: "On", Width: 12, Brief: true}, {Title: "What", Width: 24, Brief: true}, {Title: "By", Width: 30, Brief: true},
		{Title: "Seen in", Width: 12, Brief: true}, {Title: "In words", Width: 40, Brief: true},
	}, rows, "Nothing is recorded.")}}
	if s := d.without(pack); s != "" {
		part.Text = []string{s}
	}
	return part
}

// manifest lists what goes along, so that it can be seen that it arrived whole.
func (d *Dispute) manifest(pack PackInput) Part {
	var rows [][]Value
	for _, f := range pack.Files {
		rows = append(rows, []Value{Text(f.Name), Number(f.Size), Text(f.Sent), Text(f.Digest)})
	}
	return Part{Title: "The forms", Text: []string{"As they came, with the SHA-256 of each; manifest.txt holds that of this document too."},
		Tables: []Table{table("Files", []Column{
			{Title: "File", Width: 30, Brief: true}, {Title: "Bytes", Width: 10, Brief: true}, {Title: "Came", Width: 14, Brief: true},
			{Title: "SHA-256", Width: 66, Brief: true},
		}, rows, "No form has come as a file; the record's answers stand in the summary.")}}
}

// Agenda is that of a meeting (W23), as a document to be handed out.
func (d *Dispute) Agenda(in Input, items []string) Doc {
	rows := [][]Value{{Text("Dispute"), Text(d.Ref)}, {Text("Child"), Text(d.child())}, {Text("Stage"), Text(d.Standing.Title)},
		{Text("Date, time and place"), Text(" ")}, {Text("Who is invited"), Text(d.Policy.RoleTitles(d.invited()))}}
	list := make([][]Value, len(items))
	for i, item := range items {
		list[i] = []Value{Text(fmt.Sprint(i + 1)), Text(capital(item))}
	}
	return Doc{Name: "agenda-" + d.Ref, Title: "Agenda: meeting about dispute " + d.Ref, About: in.Authority + ".", Parts: []Part{
		{Title: "The meeting", Tables: []Table{layout.Pairs(rows)}},
		{Title: "Agenda", Tables: []Table{table("Agenda",
			[]Column{{Title: "No.", Width: 6, Brief: true}, {Title: "Item", Width: 80, Brief: true}}, list, "The procedure names no items.")}},
	}}
}

// Minutes is the form for the minutes of that meeting: one field for each item, and for what follows.
func (d *Dispute) Minutes(in Input, items []string) Doc {
	blank := Text(" \n \n ")
	rows := [][]Value{{Text("Dispute"), Text(d.Ref)}, {Text("Child"), Text(d.child())}, {Text("Meeting held on"), Text(" ")},
		{Text("Present"), blank}, {Text("Apologies"), Text(" ")}}
	var points [][]Value
	for _, item := range items {
		points = append(points, []Value{Text(capital(item)), blank})
	}
	follow := [][]Value{{Text("Resolved, yes or no"), Text(" ")}, {Text("If not: the next step, and by whom"), blank},
		{Text("What must be on the child's record, and by when"), blank}, {Text("For the next review"), blank},
		{Text("Minutes by, on"), Text(" ")}}
	return Doc{Name: "minutes-" + d.Ref, Title: "Minutes: meeting about dispute " + d.Ref, About: in.Authority + ".", Parts: []Part{
		{Title: "The meeting", Tables: []Table{layout.Pairs(rows)}}, {Title: "What was said", Tables: []Table{layout.Pairs(points)}},
		{Title: "What follows", Tables: []Table{layout.Pairs(follow)}},
	}}
}

// invited are the roles of the stage and its owners.
func (d *Dispute) invited() []string {
	out := slices.Clone(d.Policy.Owners(d.Standing.Stage))
	if s := d.Policy.Stage(d.Standing.Stage); s != nil {
		out = append(out, s.Holder...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
