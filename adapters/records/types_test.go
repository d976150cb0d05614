package records_test

import (
	"database/sql"
	"database/sql/driver"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"drpd/adapters/records"
	"drpd/core/port"
	"drpd/core/workday"
	"drpd/mapping"
)

// Every type reads as people write its values, whichever way it is read: by its own driver's values for it.
func TestTypes(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 5, 0, 0, time.UTC)
	abroad := time.Date(2026, 6, 2, 9, 5, 0, 0, time.FixedZone("", 3600))
	raw := []byte{0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	for _, tt := range []struct {
		engine, kind string
		value        driver.Value
		want         string
	}{
		{"sqlserver", "BIT", true, "1"},
		{"sqlserver", "BIT", false, "0"},
		{"sqlserver", "BIT", nil, ""},
		{"sqlserver", "UNIQUEIDENTIFIER", raw, "01234567-89AB-CDEF-0123-456789ABCDEF"},
		{"sqlserver", "UNIQUEIDENTIFIER", nil, ""},
		{"sqlserver", "BIGINT", int64(20401), "20401"},
		{"sqlserver", "DECIMAL", []byte("20401.00"), "20401"},
		{"sqlserver", "DECIMAL", []byte("-0.50"), "-0.5"},
		{"sqlserver", "DECIMAL", []byte("2040100"), "2040100"},
		{"sqlserver", "MONEY", []byte("12.5000"), "12.50"},
		{"sqlserver", "MONEY", []byte("12.0000"), "12.00"},
		{"sqlserver", "SMALLMONEY", []byte("0.1234"), "0.1234"},
		{"sqlserver", "FLOAT", float64(20401000), "20401000"},
		{"sqlserver", "REAL", float64(float32(0.1)), "0.1"},
		{"sqlserver", "CHAR", "DRP       ", "DRP"},
		{"sqlserver", "NCHAR", "DRP       ", "DRP"},
		{"sqlserver", "VARCHAR", "DRP ", "DRP "},
		{"sqlserver", "BINARY", []byte{0, 0, 0x07, 0xd3}, "0x000007D3"},
		{"sqlserver", "DATE", at, "2026-03-02"},
		{"sqlserver", "TIME", at, "09:05:00"},
		{"sqlserver", "DATETIME", at, "2026-03-02 09:05:00"},
		{"sqlserver", "DATETIMEOFFSET", abroad, "2026-06-02 08:05:00Z"},
		{"oracle", "NUMBER", "20401", "20401"},
		{"oracle", "NUMBER", "100", "100"},
		{"oracle", "NUMBER", "0.5", "0.5"},
		{"oracle", "RAW", raw, "67452301AB89EFCD0123456789ABCDEF"},
		{"oracle", "CHAR", "DRP       ", "DRP"},
		{"oracle", "NCHAR", "02/03/2026", "02/03/2026"}, // VARCHAR2(10)
		{"oracle", "DATE", at, "2026-03-02 09:05:00"},
		{"oracle", "DATE", at.Truncate(24 * time.Hour), "2026-03-02"},
		{"oracle", "TimeStampDTY", at, "2026-03-02 09:05:00"},
		{"oracle", "TimeStampTZ_DTY", abroad, "2026-06-02 08:05:00Z"},
		{"oracle", "TimeStampLTZ_DTY", abroad, "2026-06-02 08:05:00Z"},
	} {
		server := &teller{types: map[string]string{"X": tt.kind}, holds: map[string]driver.Value{"q.X": tt.value}}
		s, err := records.OpenOn(tt.engine, "r", sql.OpenDB(server), &mapping.System{})
		if err != nil {
			t.Fatal(err)
		}
		read, scanned, err := s.Cells(t.Context(), mapping.Named{Relation: mapping.Relation{Table: "T"}, Path: []any{"forms"}, Columns: []string{"X"}})
		if strings.HasPrefix(tt.kind, "TimeStamp") || strings.HasPrefix(tt.kind, "DATE") {
			scanned = read // asked for as text, or only compared
		}
		if err != nil || read != tt.want || scanned != tt.want {
			t.Errorf("%s %s: %q, and scanned %q, want %q (%v)", tt.engine, tt.kind, read, scanned, tt.want, err)
		}
	}
}

// Keys of 16 bytes are one text in every look, so that nothing vanishes, and a BIT that says no restricts nobody.
func TestSQLServerKeysAndBits(t *testing.T) {
	m, err := mapping.LoadSystem(os.DirFS("testdata"), "statements.yaml", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte{0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	server := &teller{types: map[string]string{"FORM_ID": "UNIQUEIDENTIFIER", "RESTRICTED": "BIT"},
		holds: map[string]driver.Value{"q.FORM_ID": raw, "q.RESTRICTED": false}}
	s, err := records.OpenOn("sqlserver", "mosaic", sql.OpenDB(server), m)
	if err != nil {
		t.Fatal(err)
	}
	first, cursor, err := s.Poll(t.Context(), nil, noon)
	if err != nil || !slices.Equal(keys(first), []string{"form/01234567-89AB-CDEF-0123-456789ABCDEF", "people/7"}) {
		t.Fatalf("%v, %v", keys(first), err)
	}
	if r := m.ReadRow(first[1], workday.DateOf(noon)); r.Child == nil || r.Child.Restricted {
		t.Errorf("a BIT of 0 restricts: %+v", r.Child)
	}
	for _, after := range []time.Duration{2 * time.Hour, 25 * time.Hour} {
		again, next, err := s.Poll(t.Context(), cursor, noon.Add(after))
		if err != nil || len(again) != 0 {
			t.Errorf("nothing has changed: %v, %v", keys(again), err)
		}
		cursor = next
	}
}

// On Oracle each value is compared as its column's type wants it, and the column stays as it is: a CHAR with a CHAR, bytes
// with bytes, a time of a zone with one. Of two columns a CHAR loses its spaces. A date goes into a column of text without a
// time.
func TestOracleCompares(t *testing.T) {
	for _, tt := range []struct{ column, kind, want, not string }{
		{"WORKFLOW_STEP_TYPE_ID", "CHAR", "q.WORKFLOW_STEP_TYPE_ID IN (CAST(:arg1 AS CHAR(2000)))", ""},
		{"WORKFLOW_STEP_TYPE_ID", "NCHAR", "q.WORKFLOW_STEP_TYPE_ID IN (:arg1)", "CHAR(2000)"},
		{"PERSON_KIND", "CHAR", "l0.PERSON_KIND IN (CAST(:arg2 AS CHAR(2000)),CAST(:arg3 AS CHAR(2000)))", ""},
		{"PERSON_ID", "CHAR", "WHERE RTRIM(l0.PERSON_ID) = c.SUBJECT_COMPOUND_ID AND", ""},
		{"SUBJECT_COMPOUND_ID", "CHAR", "WHERE l0.PERSON_ID = RTRIM(c.SUBJECT_COMPOUND_ID) AND", "= c.SUBJECT_COMPOUND_ID"},
		{"FORM_ID", "CHAR", "WHERE RTRIM(q.FORM_ID) IN (SELECT RTRIM(f.FORM_ID) FROM", "RTRIM(q.FORM_ID) IN (CAST"},
		{"FORM_ID", "RAW", "q.FORM_ID IN (HEXTORAW(:arg1))", ""},
		{"LAST_UPDATED_ON", "TimeStampTZ_DTY", "q.LAST_UPDATED_ON >= TO_TIMESTAMP_TZ(:arg1 || ' +00:00', 'YYYY-MM-DD HH24:MI:SS TZH:TZM') AND",
			"AS TIMESTAMP WITH TIME ZONE"},
		{"LAST_UPDATED_ON", "TimeStampLTZ_DTY", "SELECT CAST(CAST(MAX(q.LAST_UPDATED_ON) AS TIMESTAMP WITH TIME ZONE) AS VARCHAR2(100))", ""},
		{"LAST_UPDATED_ON", "DATE", "q.LAST_UPDATED_ON >= :arg1 AND", "TIME ZONE)"},
		{"DRPD_REF", "CHAR", "q.DRPD_REF IN (CAST(:arg1 AS CHAR(2000)))", ""},
		{"ENTERED_ON", "NCHAR", `6: "2026-03-02"`, "2026-03-02 00:00:00"},
		{"ENTERED_ON", "DATE", `6: "2026-03-02 00:00:00"`, ""},
	} {
		t.Run(tt.column+" "+tt.kind, func(t *testing.T) {
			m, err := mapping.LoadSystem(os.DirFS("testdata"), "statements.yaml", time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			server := &teller{types: map[string]string{tt.column: tt.kind}}
			s, err := records.OpenOn("oracle", "mosaic", sql.OpenDB(server), m)
			if err != nil {
				t.Fatal(err)
			}
			_, cursor, err := s.Poll(t.Context(), nil, noon)
			if err == nil {
				_, _, err = s.Poll(t.Context(), cursor, noon.Add(time.Minute))
			}
			if err != nil {
				t.Fatal(err)
			}
			if errs := s.WriteNotes(t.Context(), []port.Note{note("effect-1", "It is so.")}); errs[0] != nil {
				t.Error(errs)
			}
			said := strings.Join(server.told, "\n")
			if !strings.Contains(said, tt.want) || tt.not != "" && strings.Contains(said, tt.not) {
				t.Errorf("want %s, not %s, in\n%s", tt.want, tt.not, said)
			}
		})
	}
}
