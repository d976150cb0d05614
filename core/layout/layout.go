// Package layout holds a document as values, and writes it: as plain text, as a page, as comma-separated values, for another program.
//
// It promises: a Doc is headings, paragraphs, tables and series, and knows no format; whoever writes it, here or in an adapter
// for workbooks and paper, computes no figure. Warning and Only stand before everything else, whatever it is written to. The
// package is pure, and knows neither a dispute nor a policy.
package layout

import (
	"iter"
	"slices"
	"strconv"

	"drpd/core/workday"
)

// Doc is a document as values, whatever it is written to.
type Doc struct {
	Name    string   // of its file, without ending
	Title   string   //
	Subject string   // of the email with which it goes: figures, and no name
	About   string   // for whom, and as of when
	Warning string   // what the reader must know before any figure
	Only    string   // what it holds, where that is not everything: its first line
	Lead    []string // what it says, in a few sentences
	Parts   []Part
}

// Part is a chapter of a page, or a sheet of a workbook.
type Part struct {
	Title  string
	Text   []string
	Tables []Table
	Series []Series
}

// Table is rows under columns. Rows may be long: they are read one at a time, and can be read again.
type Table struct {
	Title   string
	Columns []Column
	Rows    iter.Seq[[]Value]
	Empty   string // what stands in place of a table without rows
}

// Column heads a table's column.
type Column struct {
	Title string
	Width int  // in characters
	Late  bool // it holds how late something is: what is above zero is to be seen at once
	Names bool // it names people: left out of the body of an email
	Brief bool // it stands on paper too, where there is less room
}

// Series is a few numbers to be drawn as bars.
type Series struct {
	Title  string
	Unit   string
	Labels []string
	Values []int
}

// Kind says what a value is.
type Kind int

// The kinds of values.
const (
	Blank Kind = iota
	Word
	Count
	Share // of one
	Date
	Entry // a place to write in
)

// Value is one cell.
type Value struct {
	Kind   Kind
	Text   string
	Number float64
	On     workday.Date
	Strong bool   // it is to be seen at once
	Anchor string // the name of this place
	Link   string // the name of the place that shows more
	Ask    *Ask   // of an entry
}

// Ask says what somebody may write in a place of a form: a date, a tick in one of several boxes, one of several options, or,
// where it says nothing, whatever there is to say.
type Ask struct {
	Date    bool
	Ticks   []string
	Options []string
	Long    bool   // room for more than a line
	Prompt  string // what stands there until somebody writes
}

// Text is a value in words.
func Text(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{Kind: Word, Text: s}
}

// Number is a count.
func Number(n int) Value { return Value{Kind: Count, Number: float64(n)} }

// Decimal is a measure, such as a median.
func Decimal(f float64) Value { return Value{Kind: Count, Number: f} }

// Percent is a share of one.
func Percent(f float64) Value { return Value{Kind: Share, Number: f} }

// Day is a date; zero is blank.
func Day(d workday.Date) Value {
	if d.IsZero() {
		return Value{}
	}
	return Value{Kind: Date, On: d}
}

// String gives the value as text: dates as 2006-01-02.
func (v Value) String() string {
	switch v.Kind {
	case Word:
		return v.Text
	case Count:
		return strconv.FormatFloat(v.Number, 'f', -1, 64)
	case Share:
		return strconv.FormatFloat(v.Number*100, 'f', 0, 64) + "%"
	case Date:
		return v.On.String()
	}
	return ""
}

// NewTable makes a table of rows that are at hand; empty stands in its place where there are none.
func NewTable(title string, columns []Column, rows [][]Value, empty string) Table {
	return Table{Title: title, Columns: columns, Rows: slices.Values(rows), Empty: empty}
}

// Pairs is a table of labels and what stands beside them, without a header.
func Pairs(rows [][]Value) Table {
	return NewTable("", []Column{{Width: 34, Brief: true}, {Width: 80, Brief: true}}, rows, "")
}

// headless says whether no column has a title, and each row says in its first cell what the other is.
func (t Table) headless() bool {
	return len(t.Columns) == 2 && !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Title != "" })
}

// OnPaper gives the table as it stands on a page: only the columns for which there is room.
func (t Table) OnPaper() Table { return t.only(func(c Column) bool { return c.Brief }) }

// unnamed gives the table without the columns that name people, as it stands on a page.
func (t Table) unnamed() Table { return t.only(func(c Column) bool { return c.Brief && !c.Names }) }

func (t Table) only(which func(Column) bool) Table {
	var columns []Column
	var at []int
	for i, c := range t.Columns {
		if which(c) {
			columns, at = append(columns, c), append(at, i)
		}
	}
	if len(columns) == 0 {
		return t
	}
	rows := t.Rows
	t.Columns = columns
	t.Rows = func(yield func([]Value) bool) {
		for row := range rows {
			out := make([]Value, len(at))
			for i, j := range at {
				out[i] = row[j]
			}
			if !yield(out) {
				return
			}
		}
	}
	return t
}

// Len counts the rows.
func (t Table) Len() int {
	n := 0
	for range t.Rows {
		n++
	}
	return n
}
