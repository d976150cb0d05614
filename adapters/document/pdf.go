package document

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/form"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"drpd/mapping"
)

const (
	maxPDF     = 10 << 20
	maxObjects = 100000
	pdfTime    = 20 * time.Second // within which its fields must be found
)

// configless keeps the library from writing a configuration into somebody's home.
var configless = sync.OnceFunc(api.DisableConfigDir)

// readPDF reads the fields of a form. One that has none, such as a scan, is for a person.
func readPDF(part string, data []byte) (mapping.Sheet, error) {
	sheet := sheetOf(part, ".pdf", data)
	if len(data) > maxPDF {
		return sheet, refuse("it is larger than %d MB", maxPDF>>20)
	}
	configless()
	type result struct {
		lines []mapping.Line
		err   error
	}
	done := make(chan result, 1) // one that comes too late goes nowhere
	go func() {
		lines, err := fields(part, data)
		done <- result{lines, err}
	}()
	limit := time.NewTimer(pdfTime)
	defer limit.Stop()
	select {
	case r := <-done:
		sheet.Lines = r.lines
		return sheet, r.err
	case <-limit.C:
		return sheet, refuse("it takes too long to read: a person must open it")
	}
}

// pdfField is a field of a form.
type pdfField struct {
	page  int
	id    int
	label string
	value string
}

func fields(part string, data []byte) (out []mapping.Line, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errDamaged
		}
	}()
	if bytes.Contains(data, []byte("/Encrypt")) {
		return nil, errEncrypted
	}
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Cmd = model.EXPORTFORMFIELDS
	conf.Limits.MaxStreamBytes, conf.Limits.MaxDecodeBytes, conf.Limits.MaxImageBytes = maxPart, maxPart, maxPart
	conf.Limits.MaxObjectCount, conf.Limits.MaxXRefEntries, conf.Limits.MaxObjectStreamCount = maxObjects, maxObjects, maxObjects
	if inflates(data) {
		return nil, refuse("it unpacks to more than %d MB", maxPackage>>20)
	}
	ctx, err := api.ReadValidateAndOptimize(bytes.NewReader(data), conf)
	if err != nil {
		return nil, errDamaged
	}
	root, err := ctx.Catalog()
	if err != nil {
		return nil, errDamaged
	}
	if names, err := ctx.DereferenceDict(root["Names"]); err == nil && names["EmbeddedFiles"] != nil {
		return nil, errEmbedded
	}
	acro, err := ctx.DereferenceDict(root["AcroForm"])
	if err != nil || acro == nil {
		return nil, refuse("it is a scan or a print without form fields: ask the sender for the form itself")
	}
	if acro["XFA"] != nil {
		return nil, refuse("it is a form of the XFA kind: ask the sender to save it as an ordinary PDF, or to send the form as Word")
	}
	written := &acroForm{ctx}
	notes := written.notes()
	written.decode()
	group, ok, err := form.ExportForm(ctx.XRefTable, part)
	if err != nil || !ok || len(group.Forms) == 0 {
		return nil, refuse("it is a scan or a print without form fields: ask the sender for the form itself")
	}
	l := &lines{name: part}
	if err := l.paragraph(clean(group.Header.Title)); err != nil {
		return nil, err
	}
	heading := ""
	for i, f := range sorted(group.Forms[0]) {
		block, label := blockOf(f.label)
		if block != heading {
			heading = block
			if err := l.paragraph(block); err != nil {
				return nil, err
			}
		}
		position := fmt.Sprintf("%s, page %d, field %d", part, f.page, i+1)
		if err := l.add(mapping.Line{Table: i + 1,
			Cells: []mapping.Cell{{Text: label, Position: position}, {Text: clean(f.value), Column: 1, Position: position}}}); err != nil {
			return nil, err
		}
	}
	err = l.beside(part, "note", notes)
	return l.out, err
}

var streamBegins = regexp.MustCompile(`stream\r?\n`)

// inflates says whether the compressed streams of a file are too much together; the library limits each by itself.
func inflates(data []byte) bool {
	var total int64
	for _, at := range streamBegins.FindAllIndex(data, -1) {
		z, err := zlib.NewReader(bytes.NewReader(data[at[1]:]))
		if err != nil {
			continue // not compressed, or in another way
		}
		n, _ := io.Copy(io.Discard, io.LimitReader(z, maxPackage+1-total)) // what comes before a fault counts
		if total += n; total > maxPackage {
			return true
		}
	}
	return false
}

// sorted gives the fields as they stand in the document: by page, and on it as they were made.
func sorted(f form.Form) (out []pdfField) {
	add := func(pages []int, id, name, alt, value string) {
		n, _ := strconv.Atoi(id)
		page := 0
		if len(pages) > 0 {
			page = pages[0]
		}
		out = append(out, pdfField{page, n, clean(cmp.Or(alt, name)), value})
	}
	for _, x := range f.TextFields {
		add(x.Pages, x.ID, x.Name, x.AltName, x.Value)
	}
	for _, x := range f.DateFields {
		add(x.Pages, x.ID, x.Name, x.AltName, x.Value)
	}
	for _, x := range f.CheckBoxes {
		value := unticked
		if x.Value {
			value = ticked
		}
		add(x.Pages, x.ID, x.Name, x.AltName, value)
	}
	for _, x := range f.RadioButtonGroups {
		add(x.Pages, x.ID, x.Name, x.AltName, x.Value)
	}
	for _, x := range f.ComboBoxes {
		add(x.Pages, x.ID, x.Name, x.AltName, x.Value)
	}
	for _, x := range f.ListBoxes {
		add(x.Pages, x.ID, x.Name, x.AltName, strings.Join(x.Values, ", "))
	}
	slices.SortStableFunc(out, func(a, b pdfField) int { return cmp.Or(a.page-b.page, a.id-b.id) })
	return out
}

// blockOf takes the heading off a label that has one before it: "Stage 1: Date of response", "stage1.response".
func blockOf(label string) (block, rest string) {
	for _, mark := range []string{": ", " - ", " – ", " / ", "."} {
		if mark == "." && strings.Contains(label, " ") {
			break // a full stop in words; between the names of a field and of what it is part of there are none
		}
		if i := strings.LastIndex(label, mark); i > 0 && i+len(mark) < len(label) {
			return strings.TrimSpace(label[:i]), strings.TrimSpace(label[i+len(mark):])
		}
	}
	return "", label
}
