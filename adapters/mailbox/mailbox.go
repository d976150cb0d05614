// Package mailbox reads the team's mailbox: messages in, untouched; and understands one message at a time.
//
// It promises: a message is kept as its bytes before it is understood; its key is the digest of those bytes; who sent
// it counts as proved only by the Authentication-Results of the one mail server that the configuration trusts, aligned
// with the From address; a message of a machine is marked as such (RFC 3834); and what cannot be understood is a doubt
// with its reason, never silence. It opens documents by a function that it is handed. What a Reader is given may be made to do
// harm: adapters/apart runs one in a process of its own.
package mailbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset" // and with it the charsets that mail is written in
	"golang.org/x/text/encoding/charmap"

	"drpd/core/drp"
	"drpd/core/workday"
	"drpd/mapping"
)

// tooLarge stands before what is kept of a message over the size limit: a line that says how large it is, and its head.
const tooLarge = "drpd: the message is over the size limit: "

// maxHead is how much is kept of a message over the size limit.
const maxHead = 256 << 10

// overSize is what is kept of a message over the size limit.
func overSize(size string, head []byte) []byte {
	return append([]byte(tooLarge+size+"\r\n"), head[:min(len(head), maxHead)]...)
}

const (
	maxParts = 200
	maxNest  = 10
	maxText  = 1 << 20
	maxName  = 200 // characters of an attachment's name

	maxOpened = 20 // files that are opened: each may take its time
)

// Reader understands messages.
type Reader struct {
	TrustedServer string // the authserv-id whose Authentication-Results count
	Zone          *time.Location
	Open          func(part string, data []byte) ([]mapping.Sheet, error) // a file: a form, or an archive of some
	Page          func(part string, data []byte) (mapping.Sheet, error)   // a body in HTML
	PageWords     func(data []byte) string                                // its words, with what it quotes behind >
	Lines         func(part, text string) (mapping.Sheet, error)          // a body in plain text

	// S/MIME: what it encloses, and what its signature shows. An entity and an error: it was changed after it had been signed.
	Unseal func(sealed []byte) (entity []byte, shows string, err error)
	// What a signature beside an entity shows; an error: the entity was changed afterwards.
	Signed func(entity, signature []byte) (shows string, err error)

	endless bool // the end of the message may be missing, and its words are read all the same
}

// Read understands one message. It is total: what is wrong with it stands in Problems.
func (r *Reader) Read(body []byte) mapping.Letter {
	if rest, ok := bytes.CutPrefix(body, []byte(tooLarge)); ok {
		return r.headOf(rest)
	}
	e, err := message.Read(bytes.NewReader(mended(body)))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return mapping.Letter{Why: "not a message",
			Problems: []drp.Doubt{{What: "the message is damaged: its headers cannot be read", Position: "message"}}}
	}
	p := &parser{Reader: r}
	_, p.rest, _ = headers(body)
	p.head(&e.Header)
	p.walk(e, 0)
	if l := &p.letter; p.pictureAt != "" && !l.Auto && strings.TrimSpace(l.Text) == "" && len(l.Sheets) == 0 {
		p.unread(picture, p.pictureAt)
	}
	p.reportsAbout(&e.Header)
	p.authors(p.letter.Text)
	p.body()
	if p.shows != "" { // where it is from: a signature says less than it seems to
		p.letter.Why = strings.TrimPrefix(p.letter.Why+"; "+p.shows, "; ")
	}
	return p.letter
}

// headOf reads what is kept of a message over the size limit, which begins with how large it is.
func (r *Reader) headOf(kept []byte) mapping.Letter {
	size, head, _ := bytes.Cut(kept, []byte("\r\n"))
	why := "the message is over the size limit: " + string(size)
	if len(head) == 0 {
		return mapping.Letter{Why: "over the size limit", Over: why, Problems: []drp.Doubt{{What: why, Position: "message"}}}
	}
	l := r.Words(head, why)
	if l.Over = why; !l.Trusted {
		l.Why = strings.TrimSuffix("over the size limit; "+l.Why, "; ")
	}
	return l
}

// Words reads a message and opens nothing of it that is a file, sealed or signed; why is said of each. Its end may be missing.
func (r *Reader) Words(body []byte, why string) mapping.Letter {
	closed, err := *r, errors.New(why)
	closed.endless = true
	closed.Open = func(string, []byte) ([]mapping.Sheet, error) { return nil, err }
	closed.Page = func(string, []byte) (mapping.Sheet, error) { return mapping.Sheet{}, err }
	closed.Unseal = func([]byte) ([]byte, string, error) { return nil, "", err }
	closed.Signed = func([]byte, []byte) (string, error) { return "", err }
	return closed.Read(body)
}

// authors keeps the words of the author. Where they may have written among what is quoted, a person must look.
func (p *parser) authors(all string) {
	text := own(all)
	p.letter.Text = text
	quotes := len(strings.TrimSpace(all)) > len(text)
	if quotes {
		p.letter.Quoted = all + "\n\n" + p.letter.Quoted
	}
	switch {
	case p.letter.Auto || !quotes || len(p.letter.Sheets) > 0:
	case text == "":
		p.problem("it says nothing but what it quotes: if its author wrote among the quoted lines, a person must read it", p.textAt)
	case len(text) < shortText && pointsBelow.MatchString(text):
		p.problem("its author points to what is quoted below: if they wrote there, a person must read it", p.textAt)
	}
}

// shortText is less than an answer that stands for itself, in bytes.
const shortText = 400

// pointsBelow is how people say that they answer among the quoted lines.
var pointsBelow = regexp.MustCompile(`(?i)\b(below|in red|in blue|in green|inline|in-line|in bold)\b`)

// body reads the words of the author as a form: in HTML where there are tables to see, else line by line.
func (p *parser) body() {
	if p.letter.Auto || p.Lines == nil || p.Page == nil {
		return
	}
	if p.htmlAt != "" {
		if sheet, err := p.Page(p.htmlAt, p.html); err == nil {
			sheet.Lines = sheet.Lines[:quoted(len(sheet.Lines), func(i int) string { return first(sheet.Lines[i]) })]
			p.letter.Body = &sheet
			return
		}
	}
	if p.letter.Text != "" {
		if sheet, err := p.Lines(p.textAt, p.letter.Text); err == nil {
			p.letter.Body = &sheet
		}
	}
}

// first gives what a line begins with.
func first(l mapping.Line) string {
	if len(l.Cells) == 0 {
		return ""
	}
	return l.Cells[0].Text
}

type parser struct {
	*Reader
	letter    mapping.Letter
	rest      []byte // the message behind its headers
	parts     int
	files     int    // that were opened
	nest      int    // messages within messages
	returned  string // the ID of the message that a report is about
	inner     bool   // inside a message that another one carries: its files count, its words do not
	html      []byte // the body as a page, and where its part in HTML stands
	htmlAt    string
	textAt    string
	choice    *choice // inside a part that holds the same words several times; nil: in none
	shows     string  // what a signature shows
	pictureAt string  // where a picture stands among the words
	changed   bool    // inside what was changed after it had been signed: its files do not count either
}

func (p *parser) problem(what, position string) {
	p.letter.Problems = append(p.letter.Problems, drp.Doubt{What: what, Position: position})
}

func (p *parser) head(h *message.Header) {
	l := &p.letter
	l.Auto, l.Replied = machine(h)
	if from, whole := people(h.Get("From")); !whole || len(from) > 1 || h.FieldsByKey("From").Len() > 1 {
		l.Why = "it names several who sent it, or its From cannot be read"
	} else if len(from) == 0 {
		l.Why = "it does not say who sent it"
	} else {
		l.From = from[0]
	}
	if by, _ := people(h.Get("Sender")); len(by) == 1 {
		l.Sender = by[0]
	}
	l.To, l.Cc = p.recipients(h, "To"), p.recipients(h, "Cc")
	for _, key := range []string{"Delivered-To", "X-Original-To", "Envelope-To"} {
		for fields := h.FieldsByKey(key); fields.Next(); {
			l.Delivered = append(l.Delivered, strings.ToLower(strings.Trim(strings.TrimSpace(fields.Value()), "<>")))
		}
	}
	l.Subject, _ = h.Text("Subject")
	l.Answers, l.Thread = h.Get("In-Reply-To"), h.Get("References")
	if at, err := mail.ParseDate(h.Get("Date")); err == nil {
		l.Sent = workday.DateOf(at.In(p.Zone))
	}
	if l.From != "" {
		l.Trusted, l.Why = p.proved(h, l.From)
	}
}

// recipients reads all headers of a name, To or Cc. What cannot be read of a person's message is told of: it may be whoever an
// alert had to reach.
func (p *parser) recipients(h *message.Header, name string) (out []string) {
	all := true
	for fields := h.FieldsByKey(name); fields.Next(); {
		some, whole := people(fields.Value())
		out = append(out, some...)
		all = all && whole
	}
	if !all && !p.letter.Auto {
		p.problem("an address in "+name+" cannot be read: somebody whom it names may not be known to have got it", "header "+name)
	}
	return out
}

func (p *parser) walk(e *message.Entity, depth int) {
	if p.parts++; p.parts > maxParts || depth > maxNest {
		if p.parts == maxParts+1 || depth == maxNest+1 {
			p.over(fmt.Sprintf("the message has more than %d parts or is nested deeper than %d", maxParts, maxNest), "message")
		}
		return
	}
	position := fmt.Sprintf("part %d", p.parts)
	if !p.intact(e, position) {
		defer p.distrust()()
	}
	if mr := e.MultipartReader(); mr != nil {
		defer p.oneOf(e)()
		for n := 0; ; n++ {
			child, err := mr.NextPart()
			if child == nil && err != nil && strings.HasSuffix(err.Error(), "EOF") {
				if n == 0 {
					p.noParts(depth, position)
				}
				return // where the mark of its end is missing each part says whether it is whole
			}
			if child == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				if n == 0 { // it names no boundary, or a bad one
					p.noParts(depth, position)
					return
				}
				p.unread("a part of the message is damaged", position)
				return
			}
			p.walk(child, depth+1)
			if p.parts > maxParts {
				return
			}
		}
	}
	p.leaf(e, position)
}

// noParts tells of a part that says that it has several in it, and keeps the words of such a message as they came.
func (p *parser) noParts(depth int, position string) {
	p.unread("it says that it has several parts, and none can be found: ask the sender to send it again", position)
	if depth == 0 {
		p.bodyText("text/plain", nil, p.rest, position)
	}
}

// oneOf begins a part that may hold the same words in several kinds of text, and gives what ends it.
func (p *parser) oneOf(e *message.Entity) func() {
	before := p.choice
	if kind, _, _ := e.Header.ContentType(); kind == "multipart/alternative" {
		p.choice = &choice{}
	}
	return func() { p.choice = before }
}

// choice is a part that holds the same words in several kinds of text.
type choice struct{ read string } // the kind that was read

func (p *parser) leaf(e *message.Entity, position string) {
	kind, params, _ := e.Header.ContentType()
	disposition, names, _ := e.Header.ContentDisposition()
	called := cmp.Or(names["filename"], params["name"])
	name := strings.ToLower(called)
	body := (kind == "text/plain" || kind == "text/html") && disposition != "attachment"
	if !body {
		p.letter.Files = append(p.letter.Files, fmt.Sprintf("%.*s", maxName, cmp.Or(called, kind, "a part of no kind")))
	}
	encoding := strings.ToLower(strings.TrimSpace(e.Header.Get("Content-Transfer-Encoding")))
	switch encoding {
	case "", "7bit", "8bit", "binary", "quoted-printable", "base64":
	case "uuencode", "x-uuencode", "x-uue":
		data, err := io.ReadAll(io.LimitReader(e.Body, maxMessage)) // as it came: the library does not know it
		if rest := p.uuencoded(data, position); err != nil || len(bytes.TrimSpace(rest)) > 0 {
			p.unread("a part is encoded in a way of long ago, and damaged: ask the sender to send it again as an ordinary attachment", position)
		}
		return
	default:
		p.unread(fmt.Sprintf("a part is encoded in a way that is not known (%.40q): ask the sender to send it again as an ordinary attachment",
			encoding), position)
		return
	}
	data, err := io.ReadAll(io.LimitReader(e.Body, maxMessage+1))
	// the end is missing: a file says by itself whether it is whole
	cut := errors.Is(err, io.ErrUnexpectedEOF) && (p.endless || !strings.HasPrefix(kind, "text/"))
	if err != nil && !cut || len(data) > maxMessage {
		p.unread("a part of the message is damaged or too large", position)
		if !body { // of words those that came through may matter
			return
		}
	}
	switch {
	case p.changed && kind != "text/plain" && kind != "text/html":
	case p.letter.Auto && p.deliveryReport(kind, bytes.NewReader(data), position):
	case body:
		p.bodyText(kind, params, data, position)
	case kind == "message/rfc822" && !p.letter.Auto:
		p.carried(data, position)
	case (kind == "application/pkcs7-mime" || kind == "application/x-pkcs7-mime" || strings.HasSuffix(name, ".p7m")) && !p.letter.Auto:
		p.sealed(data, position)
	case p.letter.Auto: // what a machine attaches is no form
	case kind == "application/ms-tnef" || strings.HasSuffix(name, "winmail.dat"):
		p.unread("the attachment is a winmail.dat: ask the sender to send the form as an ordinary attachment", position)
	case strings.HasPrefix(kind, "image/") && (disposition != "attachment" || e.Header.Has("Content-Id")):
		p.pictureAt = cmp.Or(p.pictureAt, position)
	case slices.Contains(besides, kind), addedByServer.MatchString(name):
	case strings.HasPrefix(kind, "image/"):
		p.unread(picture, position)
	case strings.HasPrefix(kind, "text/"):
		if data, ok := wide(data, params["charset"]); ok {
			p.file(kind, data, position)
		} else {
			p.unread(notNamed, position)
		}
	default:
		p.file(kind, data, position)
	}
}

// besides are the kinds of parts that programs send with a message and that are never a form.
var besides = []string{"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/ics",
	"application/pgp-encrypted", "application/pgp-keys", "text/calendar", "text/vcard", "text/x-vcard", "text/directory",
	"text/x-amp-html", "text/rfc822-headers", "message/delivery-status", "message/disposition-notification"}

// addedByServer is what Exchange calls the pieces of a body that it cuts off.
var addedByServer = regexp.MustCompile(`^att\d+\.(txt|html?)$`)

// pgp tells of what is encrypted with PGP.
func (p *parser) pgp(data []byte, position string) bool {
	is := bytes.Contains(data, []byte("-----BEGIN PGP MESSAGE-----\n")) || bytes.Contains(data, []byte("-----BEGIN PGP MESSAGE-----\r\n"))
	if is {
		p.unread("it is encrypted with PGP, which drpd does not open: ask the sender to send it by another secure way", position)
	}
	return is
}

// file opens what may be a form.
func (p *parser) file(kind string, data []byte, position string) {
	if p.pgp(data, position) {
		return
	}
	if p.files++; p.files > maxOpened {
		if p.letter.Over == "" {
			p.over(fmt.Sprintf("the message has more than %d files", maxOpened), position)
		}
		return
	}
	if kind == "text/plain" && p.Lines != nil {
		if sheet, err := p.Lines(position, string(data)); err == nil {
			p.letter.Sheets = append(p.letter.Sheets, sheet)
			return
		}
	}
	sheets, err := p.Open(position, data)
	if err != nil {
		p.unread(err.Error(), position)
		return
	}
	p.files += len(sheets) - 1 // of an archive each
	p.letter.Sheets = append(p.letter.Sheets, sheets...)
}

// unread is a problem with a part that may be the form: without it the message does not say what its sender meant.
func (p *parser) unread(what, position string) {
	p.problem(what, position)
	if p.letter.Unread == "" {
		p.letter.Unread = what
	}
}

// over is a problem with the message as a whole: not all of it was read.
func (p *parser) over(what, position string) {
	p.problem(what, position)
	p.letter.Over = what
}

// bodyText reads a part of the body.
func (p *parser) bodyText(kind string, params map[string]string, data []byte, position string) {
	data, ok := wide(data, params["charset"])
	if !ok && !p.inner {
		p.unread(notNamed, position)
		return
	}
	if kind == "text/plain" {
		data = p.uuencoded(data, position)
	}
	before := len(p.letter.Text)
	if kind == "text/html" {
		before = len(p.html)
	}
	if before+len(data) > maxText && !p.inner { // it is no answer then; it may say what must be heard at once
		p.over("the text is too long", position)
		p.letter.Quoted += strings.ToValidUTF8(string(data[:min(len(data), maxText)]), "\ufffd")
		return
	}
	data = data[:min(len(data), maxText)]
	if !p.letter.Auto && !p.inner {
		p.pgp(data, position)
	}
	if set := params["charset"]; set != "" && !p.inner {
		if _, err := charset.Reader(set, bytes.NewReader(nil)); err != nil { // kept as it came
			p.problem(fmt.Sprintf("its words are in a character set that is not known (%.40q): letters with accents may be wrong", set), position)
		}
	}
	text := strings.Map(windows, strings.ToValidUTF8(string(data), "\ufffd"))
	if garbled(text) && !p.inner {
		p.unread(notNamed, position)
	}
	page := text
	if kind == "text/html" {
		text = p.PageWords([]byte(text))
	} else {
		page = "<pre>" + html.EscapeString(text) + "</pre>"
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\u00a0", " ")
	if strings.EqualFold(params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(params["delsp"], "yes"))
	}
	if kind == "text/html" || p.choice == nil {
		p.page(kind, page, position)
	}
	if c := p.choice; c != nil {
		if c.read != "" && c.read != kind {
			return
		}
		if strings.TrimSpace(text) != "" {
			c.read = kind
		}
	}
	switch l := &p.letter; {
	case !p.inner:
		if p.textAt == "" {
			p.textAt = position
		}
		if l.Text != "" && !strings.HasSuffix(l.Text, "\n") {
			l.Text += "\n"
		}
		l.Text += text
	case len(l.Quoted) < maxText: // it proves nothing about who wrote it; somebody may have sent it on for what it says
		l.Quoted += text + "\n\n"
	}
}

// page keeps a part of the body for the page that all of them make, if one of them is a page.
func (p *parser) page(kind, data, position string) {
	if p.inner {
		return
	}
	p.html = append(p.html, data...)
	if kind == "text/html" && p.htmlAt == "" {
		p.htmlAt = position
	}
}

// notNamed is said of a text that is in another character set than the one that it names.
const notNamed = "its words are in a character set other than it says: ask the sender to send them again as an ordinary message"

// uuencoded reads the files that stand in a text, and gives the rest.
func (p *parser) uuencoded(data []byte, position string) []byte {
	rest, files := uudecode(string(data))
	for i, f := range files {
		at := fmt.Sprintf("%s, file %d in its text", position, i+1)
		switch {
		case p.letter.Auto, p.changed:
		case f.data == nil:
			p.unread("a file in its text is damaged: ask the sender to send it again as an ordinary attachment", at)
		case pictureName.MatchString(f.name):
			p.unread(picture, at)
		default:
			p.file("", f.data, at)
		}
	}
	return []byte(rest)
}

var pictureName = regexp.MustCompile(`(?i)\.(jpe?g|png|gif|bmp|tiff?|heic|webp)$`)

const picture = "the attachment is a picture: ask the sender for the form itself"

// windows gives the character that a program meant which calls Windows' own character set ISO 8859-1: there these are controls.
func windows(r rune) rune {
	if r >= 0x80 && r <= 0x9f {
		return charmap.Windows1252.DecodeByte(byte(r))
	}
	return r
}

// unflow joins the lines of a text that its mail program has broken (RFC 3676).
func unflow(text string, delsp bool) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(text, "\n") {
		body := strings.TrimSuffix(line, "\n")
		if body != "-- " && strings.HasSuffix(body, " ") && !strings.HasPrefix(body, ">") {
			if delsp {
				body = strings.TrimSuffix(body, " ")
			}
			b.WriteString(body)
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

// carried reads the files of a message that this one carries. Who sent that one is not proved, so its text counts for nobody.
func (p *parser) carried(data []byte, position string) {
	e, err := message.Read(bytes.NewReader(mended(data)))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		p.unread("a message that it carries is damaged", position)
		return
	}
	was := p.inner
	p.inner = true
	p.nest++
	p.walk(e, p.nest)
	p.nest--
	p.inner = was
}

// sealed reads what S/MIME encloses: signed, or encrypted for drpd.
func (p *parser) sealed(data []byte, position string) {
	if p.Unseal == nil {
		p.unread("it is encrypted or signed in a way that needs a certificate: name drpd's own under mail_out.smime_file, or ask the sender to "+
			"send it by another secure way", position)
		return
	}
	entity, shows, err := p.Unseal(data)
	if err != nil {
		p.unread(err.Error(), position)
		if entity == nil {
			return
		}
		defer p.distrust()()
	}
	p.showed(shows)
	e, err := message.Read(bytes.NewReader(mended(entity)))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		p.unread("what it encloses is damaged", position)
		return
	}
	p.nest++
	p.walk(e, p.nest)
	p.nest--
}

// intact holds what is signed against the signature beside it, if that is S/MIME.
func (p *parser) intact(e *message.Entity, position string) bool {
	kind, params, _ := e.Header.ContentType()
	if kind != "multipart/signed" || p.Signed == nil {
		return true
	}
	data, err := io.ReadAll(io.LimitReader(e.Body, maxMessage))
	e.Body = bytes.NewReader(data)
	parts := split(data, params["boundary"])
	if err != nil || len(parts) < 2 {
		return true // the walk says what is wrong with it
	}
	beside, err := message.Read(bytes.NewReader(parts[1]))
	if err != nil {
		return true
	}
	if kind, _, _ := beside.Header.ContentType(); kind != "application/pkcs7-signature" && kind != "application/x-pkcs7-signature" {
		p.showed("it is signed in a way that is not looked at")
		return true
	}
	signature, err := io.ReadAll(beside.Body)
	if err != nil {
		signature = nil
	}
	shows, err := p.Signed(parts[0], signature)
	if err != nil {
		p.unread(err.Error(), position)
		return false
	}
	p.showed(shows)
	return true
}

// showed keeps what the first signature shows.
func (p *parser) showed(what string) {
	if p.shows == "" {
		p.shows = what
	}
}

// distrust makes nothing count of what is read until the function that it gives is called; its words are kept, since somebody
// may have to see them at once.
func (p *parser) distrust() func() {
	inner, changed := p.inner, p.changed
	p.inner, p.changed = true, true
	return func() { p.inner, p.changed = inner, changed }
}

// split gives the parts of a multipart as they are, byte by byte.
func split(data []byte, boundary string) (parts [][]byte) {
	if boundary == "" {
		return nil
	}
	from := -1
	for at := 0; at < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		line := string(bytes.TrimRight(data[at:end], " \t\r\n"))
		if last := line == "--"+boundary+"--"; last || line == "--"+boundary {
			if from >= 0 {
				part := bytes.TrimSuffix(data[from:max(from, at)], []byte("\n")) // the end of the line belongs to the boundary
				parts = append(parts, bytes.TrimSuffix(part, []byte("\r")))
			}
			if from = end; last {
				return parts
			}
		}
		at = end
	}
	return parts
}

// Attachment finds, in the bytes of a message, the form with a digest as the readers give it: a file, one in an archive, or
// the words of the author.
func (r *Reader) Attachment(body []byte, digest string) ([]byte, bool) {
	l := r.Read(body)
	if l.Body != nil {
		l.Sheets = append(l.Sheets, *l.Body)
	}
	for _, s := range l.Sheets {
		if s.Digest == digest {
			return s.Data, true
		}
	}
	return nil, false
}
