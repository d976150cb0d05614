// Package report lays out what people read of many disputes, or of one: what is overdue, what a quarter showed, what goes
// to CAFCASS.
//
// It promises: a report is a layout.Doc, a value without a format; whoever writes it to a workbook, a page or a message computes
// no figure. What could not be read, and what a report leaves out, is said before any figure. A restricted child is a count,
// but for a reader who is cleared. Being late against guidance is never called a breach. Every date that has passed comes with its
// count, day by day. The package is pure: it looks at cases and at what was decided of them, by the same Decide as the daemon.
package report

import (
	"drpd/core/layout"
	"drpd/core/workday"
)

type (
	// Doc is a document, as the package layout has it.
	Doc = layout.Doc
	// Part is a part of one.
	Part = layout.Part
	// Table is a table in it.
	Table = layout.Table
	// Column is a column of a table.
	Column = layout.Column
	// Series is what a drawing shows.
	Series = layout.Series
	// Value is what stands in a cell.
	Value = layout.Value
)

// Text is a value in words.
func Text(s string) Value { return layout.Text(s) }

// Number is a count.
func Number(n int) Value { return layout.Number(n) }

// Decimal is a measure, such as a median.
func Decimal(f float64) Value { return layout.Decimal(f) }

// Percent is a share of one.
func Percent(f float64) Value { return layout.Percent(f) }

// Day is a date; zero is blank.
func Day(d workday.Date) Value { return layout.Day(d) }

// table makes a table of rows that are at hand.
func table(title string, columns []Column, rows [][]Value, empty string) Table {
	return layout.NewTable(title, columns, rows, empty)
}
