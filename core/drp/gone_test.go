package drp_test

import (
	"testing"

	"drpd/core/drp"
)

// A record that is there still and is no dispute any more says why; what it is called changes no question's number.
func TestGoneSaysWhy(t *testing.T) {
	const why = `is "Cancelled" in the record system`
	row := func(id string, at int, state drp.RecordState) drp.Reading {
		r := reading(id, "records", drp.Row, at)
		r.Record = state
		return r
	}
	file := drp.Fold([]drp.Reading{row("r1", 1, drp.RecordState{Known: true}), row("r2", 2, drp.RecordState{Known: true, Gone: true, Why: why})}, nil)
	if !file.Record.Gone || file.Record.Why != why || len(file.Conflicts) != 1 ||
		file.Conflicts[0].What() != "the record "+why+": is the dispute still open?" {
		t.Errorf("%+v, %v", file.Record, file.Conflicts)
	}
	if with, without := drp.RecordIsGone("r2", why), drp.RecordIsGone("r2", ""); with.ID() != without.ID() {
		t.Errorf("%s and %s", with.ID(), without.ID())
	}
}
