package drp

import "drpd/core/workday"

// Attest is what a person says at the console, as stored.
type Attest struct {
	Dispute  string       `json:"dispute"`
	Fact     FactKind     `json:"fact"`
	On       workday.Date `json:"on"`
	By       string       `json:"by"` // role
	To       []string     `json:"to,omitempty"`
	Stage    string       `json:"stage,omitempty"`
	Until    workday.Date `json:"until,omitzero"`
	Event    bool         `json:"event,omitempty"`
	Denied   bool         `json:"denied,omitempty"`
	Because  string       `json:"because"`
	Actor    string       `json:"actor"` // the account that typed it
	Corrects string       `json:"corrects,omitempty"`
	Although string       `json:"although,omitempty"` // why a case is referred where the policy's conditions do not hold
}

// Sending is drpd's own receipt of an alert: what was accepted for whom.
type Sending struct {
	Dispute string       `json:"dispute"`
	Effect  string       `json:"effect"`
	Reason  Reason       `json:"reason"`
	Kind    EffectKind   `json:"kind"`
	Stage   string       `json:"stage"`
	Role    string       `json:"role"`
	Form    bool         `json:"form,omitempty"`
	On      workday.Date `json:"on"`
	KeyedBy string       `json:"keyed_by,omitempty"` // of a case note on a worklist: the initials of who keyed it in
}

// Refusal is drpd's own receipt that a relay knows no such recipient.
type Refusal struct {
	Dispute string       `json:"dispute"`
	Effect  string       `json:"refused"`
	Person  string       `json:"person"`
	Status  string       `json:"status,omitempty"`
	On      workday.Date `json:"on"`
}

// RulingOn is a ruling at the console.
type RulingOn struct {
	Dispute string `json:"dispute"`
	Ruling
}

// AnswerAbove is what each letter of drpd says at its head. Whatever a mail program quotes of a letter stands below it, with
// the lines by which it can be answered: they are nobody's answer.
const AnswerAbove = "answer above this line"
