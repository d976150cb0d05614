package port

import (
	"drpd/core/workday"
)

// Note is a case note on one child's record.
type Note struct {
	Reference string // the effect's key: the same note is written once
	Dispute   string
	Child     string
	Type      string
	Text      string
	On        workday.Date
}

// Listed is a case note where notes go onto a worklist, and a person keys them in.
type Listed struct {
	Reference, Dispute string
	Went               bool // onto a worklist
	Keyed              bool // it is stored that somebody has keyed it in
}

// What a document is that is kept on a child's file.
const (
	CopyOfForm = "copy of the dispute form"
	Minutes    = "minutes of a meeting"
)

// FormFile is a document for a child's file: a copy of a form, or the minutes of a meeting.
type FormFile struct {
	Reference, Child, Dispute string
	What                      string
	Name                      string
	Data                      []byte
	On                        workday.Date
}
