// Package document opens dispute forms: bytes in, a mapping.Sheet of cells out, each with its position.
//
// It reads Word (.docx), OpenDocument (.odt), Excel (.xlsx), PDF with form fields, HTML and plain text, by what the bytes
// are and not by a name. It promises never to guess and never to run away: a file that is too large, nested too deep or
// compressed too well, that is encrypted, scanned or old, or that carries macros, embedded objects or links to other files,
// is refused with a reason for a person, and every reader stops at fixed limits. It knows no label of any form. A box that
// is ticked reads as ☒ and one that is not as ☐, however the format keeps them. What is struck out or hidden is left out.
// Where a file keeps more than it shows, that counts: the date of a control or a field, in whatever order its words are, the
// state of a box, what the entry of a list is called. A code for which the file has no words is quoted as one: it says
// neither yes nor no.
package document

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"drpd/mapping"
)

// The limits within which a document is read.
const (
	maxPart     = 16 << 20 // bytes of a part, unpacked
	maxPackage  = 64 << 20 // bytes of all parts together, as the package states them
	maxFiles    = 2000     // files in a package
	maxDepth    = 256      // nested elements
	maxCells    = 20000
	maxColumns  = 256
	maxArchived = 20 // files in an archive that somebody sends
)

// What a box reads as.
const (
	ticked   = "☒"
	unticked = "☐"
)

// ErrNotRead is wrapped by every refusal; its text says why, for a person.
var ErrNotRead = errors.New("the document is not read")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotRead, fmt.Sprintf(format, args...))
}

// reasons that several formats share.
var (
	errDamaged   = refuse("the file is damaged: ask the sender to send it again")
	errMacros    = refuse("it carries macros: a person must open it")
	errEmbedded  = refuse("it has other documents or objects embedded: a person must open it")
	errLinked    = refuse("it takes in content from elsewhere by links: a person must open it")
	errEncrypted = refuse("it is encrypted: ask the sender for one without a password")
	errControls  = refuse("its boxes or lists lie over the cells as controls, and which cell each belongs to cannot be told: a person " +
		"must open it")
	errTooLarge = refuse("it is larger than %d MB", maxPart>>20)
)

// Read opens a form by its content. The part names where in the message it stood.
func Read(part string, data []byte) (mapping.Sheet, error) {
	all, err := Open(part, data)
	if err == nil && len(all) != 1 {
		err = refuse("it is an archive of %d files", len(all))
	}
	if err != nil {
		return mapping.Sheet{}, err
	}
	return all[0], nil
}

// Open opens a form by its content, or each of those in an archive.
func Open(part string, data []byte) ([]mapping.Sheet, error) {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		p, err := openPackage(data)
		if err != nil {
			return nil, err
		}
		if p.kind() == "" {
			return p.archive(part)
		}
	}
	sheet, err := readOne(part, data)
	if err != nil {
		return nil, err
	}
	return []mapping.Sheet{sheet}, nil
}

func readOne(part string, data []byte) (sheet mapping.Sheet, err error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		sheet, err = readPackage(part, data)
	case bytes.HasPrefix(data, []byte("%PDF-")) || bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")):
		sheet, err = readPDF(part, data)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return sheet, refuse("%s", old(data))
	case bytes.HasPrefix(data, []byte(`{\rtf`)):
		return sheet, refuse("it is an RTF file: ask the sender for a .docx")
	case looksLikeHTML(data):
		sheet, err = HTML(part, data)
	default:
		return sheet, refuse("it is no form that can be read: ask the sender for the form as Word (.docx), OpenDocument (.odt), Excel (.xlsx) " +
			"or PDF with its fields")
	}
	if err != nil {
		return mapping.Sheet{}, err
	}
	return sheet, nil
}

// old says what a file in Microsoft's old container is.
func old(data []byte) string {
	for _, x := range []struct{ stream, what string }{
		{"EncryptedPackage", "it is an Office file with a password: ask the sender for one without"},
		{"__substg1.0_", "it is an Outlook message (.msg): ask the sender to forward it as an ordinary message"},
		{"__properties_version1.0", "it is an Outlook message (.msg): ask the sender to forward it as an ordinary message"},
		{"WordDocument", "it is an old Word file (.doc): ask the sender to save it as .docx"},
		{"Workbook", "it is an old Excel file (.xls): ask the sender to save it as .xlsx"},
	} {
		var wide []byte
		for _, c := range []byte(x.stream) {
			wide = append(wide, c, 0)
		}
		if bytes.Contains(data, wide) {
			return x.what
		}
	}
	return "it is an old or encrypted Office file: ask the sender for a .docx without a password"
}

func looksLikeHTML(data []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(data[:min(len(data), 512)], []byte("\xef\xbb\xbf"))))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// sheetOf is a form that has not been read yet: its digest names its bytes.
func sheetOf(part, ext string, data []byte) mapping.Sheet {
	sum := sha256.Sum256(data)
	return mapping.Sheet{Name: part, Digest: hex.EncodeToString(sum[:])[:16], Ext: ext, Data: data}
}

// lines collects what a reader finds, within the limit.
type lines struct {
	name  string
	out   []mapping.Line
	cells int
	paras int
	bytes int // of what is written down once and shown in many places
}

// saying counts what a document shows again and again though it holds it once.
func (l *lines) saying(n int) error {
	if l.bytes += n; l.bytes > maxPart {
		return errTooLarge
	}
	return nil
}

func (l *lines) add(line mapping.Line) error {
	for n := len(line.Cells); n > maxColumns && line.Cells[n-1].Text == ""; n-- {
		line.Cells = line.Cells[:n-1]
	}
	if len(line.Cells) > maxColumns {
		return refuse("it has more than %d columns", maxColumns)
	}
	if l.cells += len(line.Cells); l.cells > maxCells {
		return refuse("it has more than %d cells", maxCells)
	}
	l.out = append(l.out, line)
	return nil
}

// paragraph adds a line of one cell.
func (l *lines) paragraph(text string) error {
	l.paras++
	return l.add(mapping.Line{Cells: []mapping.Cell{{Text: text, Position: fmt.Sprintf("%s, paragraph %d", l.name, l.paras)}}})
}

// zipped is a ZIP package, looked at before anything of it is unpacked.
type zipped struct {
	*zip.Reader
	files map[string]*zip.File
	main  string // the main part of an Office file
}

func openPackage(data []byte) (*zipped, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errDamaged
	}
	if len(z.File) > maxFiles {
		return nil, refuse("it holds more than %d files", maxFiles)
	}
	p := &zipped{Reader: z, files: make(map[string]*zip.File)}
	var total uint64
	for _, f := range z.File {
		if total += f.UncompressedSize64; total > maxPackage {
			return nil, refuse("it unpacks to more than %d MB", maxPackage>>20)
		}
		if f.Flags&1 != 0 {
			return nil, errEncrypted
		}
		p.files[f.Name] = f
	}
	if p.files["_rels/.rels"] != nil {
		err = p.each("_rels/.rels", func(_ *walker, e xml.StartElement) error {
			if strings.HasSuffix(attr(e, "Type"), "/officeDocument") {
				p.main = strings.TrimPrefix(path.Clean("/"+attr(e, "Target")), "/")
			}
			return nil
		})
	}
	for _, usual := range []string{"word/document.xml", "xl/workbook.xml"} {
		if p.files[p.main] == nil && p.files[usual] != nil {
			p.main = usual
		}
	}
	return p, err
}

// kind is the format of a package; "" for an archive of files.
func (p *zipped) kind() string {
	switch {
	case p.files[p.main] != nil && strings.HasPrefix(p.main, "word/"):
		return "docx"
	case p.files[p.main] != nil && strings.HasPrefix(p.main, "xl/"):
		return "xlsx"
	case p.files["content.xml"] != nil && (p.files["mimetype"] != nil || p.files["META-INF/manifest.xml"] != nil):
		return "odt"
	case p.files["[Content_Types].xml"] != nil:
		return "office"
	}
	return ""
}

func readPackage(part string, data []byte) (mapping.Sheet, error) {
	p, err := openPackage(data)
	if err != nil {
		return mapping.Sheet{}, err
	}
	if err := p.harmless(); err != nil {
		return mapping.Sheet{}, err
	}
	sheet := sheetOf(part, "", data)
	switch p.kind() {
	case "docx":
		sheet.Ext = ".docx"
		sheet.Lines, err = readDocx(part, p)
	case "odt":
		sheet.Ext = ".odt"
		sheet.Lines, err = readODT(part, p)
	case "xlsx":
		sheet.Ext = ".xlsx"
		sheet.Lines, err = readXLSX(part, p)
	default:
		err = refuse("it is no Word, OpenDocument or Excel file")
	}
	return sheet, err
}

// overCells finds the controls of a workbook that hold answers; the notes of cells stand in the same part.
var overCells = regexp.MustCompile(`ObjectType\s*=\s*["'](?i:checkbox|radio|drop|list|edit|spin|scroll)["']`)

// harmless refuses a package with anything in it that only a person should open.
func (p *zipped) harmless() error {
	for _, f := range p.File { // in their order: the first reason is the same each time
		name := f.Name
		low := strings.ToLower(name)
		switch {
		case strings.HasSuffix(low, "vbaproject.bin") || strings.HasPrefix(low, "basic/") || strings.HasPrefix(low, "scripts/") ||
			strings.Contains(low, "/macrosheets/"):
			return errMacros
		case strings.Contains(low, "/embeddings/") || strings.Contains(low, "/activex/") || strings.HasPrefix(low, "object "):
			return errEmbedded
		case strings.Contains(low, "/externallinks/"):
			return errLinked
		case strings.HasPrefix(low, "xl/") && strings.HasSuffix(low, ".vml"):
			b, err := p.part(name)
			if err != nil {
				return err
			}
			if overCells.Match(b) {
				return errControls
			}
		case strings.HasSuffix(low, ".rels"):
			if err := p.relations(name); err != nil {
				return err
			}
		case low == "meta-inf/manifest.xml":
			b, err := p.part(name)
			if err != nil {
				return err
			}
			if bytes.Contains(b, []byte("encryption-data")) {
				return errEncrypted
			}
		}
	}
	return nil
}

// relations refuses content that is taken in from elsewhere. A hyperlink is only a place to go to.
func (p *zipped) relations(name string) error {
	b, err := p.part(name)
	if err != nil {
		return err
	}
	var rels struct {
		Relationship []struct {
			Type       string `xml:"Type,attr"`
			TargetMode string `xml:"TargetMode,attr"`
		}
	}
	if xml.Unmarshal(b, &rels) != nil {
		return errDamaged
	}
	for _, r := range rels.Relationship {
		kind := r.Type[strings.LastIndexByte(r.Type, '/')+1:]
		switch {
		case kind == "aFChunk":
			return errEmbedded
		case strings.EqualFold(r.TargetMode, "External") && kind != "hyperlink":
			return errLinked
		}
	}
	return nil
}

// part gives the bytes of a file of the package.
func (p *zipped) part(name string) ([]byte, error) {
	f := p.files[name]
	if f == nil {
		return nil, errDamaged
	}
	r, err := f.Open()
	if err != nil {
		return nil, errDamaged
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, maxPart+1))
	switch {
	case len(b) > maxPart:
		return nil, errTooLarge
	case err != nil:
		return nil, errDamaged
	}
	return b, nil
}

// archive reads each form of an archive. One that cannot be read is a reason for a person to look at all of it.
func (p *zipped) archive(part string) ([]mapping.Sheet, error) {
	var out []mapping.Sheet
	n := 0
	for _, f := range p.File {
		if f.FileInfo().IsDir() || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		if n++; n > maxArchived {
			return nil, refuse("it is an archive of more than %d files", maxArchived)
		}
		data, err := p.part(f.Name)
		if err != nil {
			return nil, err
		}
		position := fmt.Sprintf("%s, file %d", part, n)
		if inner, err := openPackage(data); err == nil && inner.kind() == "" {
			return nil, refuse("%s: an archive in an archive: ask the sender for the form itself", position)
		}
		sheet, err := readOne(position, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", position, err)
		}
		out = append(out, sheet)
	}
	if len(out) == 0 {
		return nil, refuse("it is an archive with nothing in it")
	}
	return out, nil
}

// Text reads a form that was typed as plain text: a line is a paragraph.
func Text(part string, text string) (mapping.Sheet, error) {
	l := &lines{name: part}
	for line := range strings.SplitSeq(text, "\n") {
		if err := l.paragraph(clean(line)); err != nil {
			return mapping.Sheet{}, err
		}
	}
	sheet := sheetOf(part, ".txt", []byte(text))
	sheet.Lines = l.out
	return sheet, nil
}

// meant says what characters that look alike are meant to be.
var meant = strings.NewReplacer("\u00a0", " ", "\u200b", "", "\ufeff", "", "\u00ad", "", "☑", ticked, "🗹", ticked, "\u25a1", unticked,
	"\u25fb", unticked, "\u2751", unticked)

// clean brings text as programs write it to text as people mean it.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.TrimSpace(meant.Replace(s))
}
