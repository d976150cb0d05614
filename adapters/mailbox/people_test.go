package mailbox_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// What people and their programs send besides the ordinary.
func TestAsPeopleSendThem(t *testing.T) {
	form, err := os.ReadFile("../../testdata/forms/two-columns.docx")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile("../../testdata/forms/in-an-archive.zip")
	if err != nil {
		t.Fatal(err)
	}
	attached := func(kind, disposition string, data []byte) string {
		return "Content-Type: " + kind + "\r\nContent-Disposition: " + disposition + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			base64.StdEncoding.EncodeToString(data) + "\r\n"
	}
	mixed := func(parts ...string) string {
		return "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") +
			"\r\n--b--\r\n"
	}
	const words = "Content-Type: text/plain\r\n\r\nPlease see the form."
	const word = `application/octet-stream; name="form.docx"`
	r := reader(t)
	r.Unseal = func(sealed []byte) ([]byte, string, error) {
		entity := []byte(mixed(words, attached(word, "attachment", form)))
		switch string(sealed) {
		case "sealed":
			return entity, "it is signed", nil
		case "changed":
			return entity, "", errors.New("it was changed after it had been signed")
		}
		return nil, "", errors.New("it is encrypted for another certificate")
	}
	r.Signed = func(_, signature []byte) (string, error) {
		if string(signature) != "good" {
			return "", errors.New("it was changed after it had been signed")
		}
		return "it is signed", nil
	}
	beside := func(signature string) string {
		return plain + "MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n" +
			"\r\n--s\r\n" + mixed(words, attached(word, "attachment", form)) +
			"\r\n--s\r\n" + strings.TrimSuffix(attached("application/pkcs7-signature; name=smime.p7s", "attachment", []byte(signature)), "\r\n") +
			"\r\n--s--\r\n"
	}
	for name, tt := range map[string]struct {
		message string
		text    string
		sheets  int
		unread  string
	}{
		"a form": {plain + mixed(words, attached(word, "attachment", form)), "Please see the form.", 1, ""},
		"an archive": {plain + mixed(words, attached("application/zip", "attachment; filename=f.zip", archive)),
			"Please see the form.", 1, ""},
		"a message that is carried": {plain + mixed(words, "Content-Type: message/rfc822\r\n\r\nFrom: x@elsewhere.test\r\n"+
			"Subject: s\r\n"+strings.ReplaceAll(strings.ReplaceAll(mixed("Content-Type: text/plain\r\n\r\nresolved: yes",
			attached(word, "attachment", form)), "boundary=b", "boundary=inner"), "--b", "--inner")), "Please see the form.", 1, ""},
		"signed, in one part": {plain + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n" +
			"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("sealed")), "Please see the form.", 1, ""},
		"signed, in one part, changed": {plain + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n" +
			"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("changed")), "", 0, "it was changed"},
		"signed, in two parts":          {beside("good"), "Please see the form.", 1, ""},
		"signed, in two parts, changed": {beside("bad"), "", 0, "it was changed"},
		"encrypted for somebody else": {plain + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n" +
			"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("other")), "", 0, "for another certificate"},
		"a line that is no header": {"this is from a filter\r\n" + plain + "X-Scan: clean\r\n of viruses\r\n*** SPAM?\r\n" +
			"\twritten by a filter\r\n\r\nResolved: yes\r\n", "Resolved: yes", 0, ""},
		"lines that flow": {plain + "Content-Type: text/plain; format=flowed\r\n\r\nResolved: \r\nyes\r\n",
			"Resolved: yes", 0, ""},
		"Windows behind another name": {plain + "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nIt\x92s resolved\r\n",
			"It’s resolved", 0, ""},
		"a scan": {plain + mixed(words, attached("image/jpeg", "attachment; filename=scan.jpg", []byte("\xff\xd8\xff"))),
			"Please see the form.", 0, "a picture"},
		"a picture of a signature": {plain +
			mixed(words, "Content-Id: <logo>\r\n"+attached("image/png", "inline; filename=logo.png", []byte("\x89PNG"))),
			"Please see the form.", 0, ""},
		"a picture alone": {plain + "Content-Type: image/jpeg\r\nContent-Disposition: inline\r\n\r\n\xff\xd8\xff", "", 0, "a picture"},
		"parts that are not there": {plain + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--c\r\n\r\nResolved: yes\r\n--c--",
			"Resolved: yes", 0, "none can be found"},
		"a line of blanks for the end of the headers": {plain + "Content-Type: multipart/mixed; boundary=b\r\n \r\n--b\r\n" +
			"Content-Type: text/plain\r\n\r\nResolved: yes\r\n--b--", "Resolved: yes", 0, ""},
		"two texts": {plain + mixed("Content-Type: text/plain\r\n\r\nResolved: yes", "Content-Type: text/plain\r\n\r\nA footer"),
			"Resolved: yes\nA footer", 0, ""},
		"a page behind a text": {plain + mixed("Content-Type: text/plain\r\n\r\nHello", "Content-Type: text/html\r\n\r\n<p>Resolved: yes"),
			"Hello\nResolved: yes", 0, ""},
		"two pages": {plain + mixed("Content-Type: text/html\r\n\r\n<p>Hello", "Content-Type: text/html\r\n\r\n<p>Resolved: yes"),
			"Hello\nResolved: yes", 0, ""},
		"a page for a blank text": {plain + strings.Replace(mixed("Content-Type: text/plain\r\n\r\n \r\n",
			"Content-Type: text/html\r\n\r\n<div>Resolved: yes</div><div>Tess</div>"), "mixed", "alternative", 1),
			"Resolved: yes\nTess", 0, ""},
		"a link": {plain + "Content-Type: text/html\r\n\r\n<a href='https://x.example/f'>the form</a>",
			"the form <https://x.example/f>", 0, ""},
		"PGP in the text": {plain + "\r\nHere:\r\n-----BEGIN PGP MESSAGE-----\r\nx\r\n-----END PGP MESSAGE-----\r\n",
			"Here:", 0, "with PGP"},
		"PGP in a file": {plain + mixed("Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
			"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nx"), "", 0, "with PGP"},
		"words with a fault behind them": {plain + "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
			base64.StdEncoding.EncodeToString([]byte("Resolved: yes.")) + "*", "Resolved: yes", 0, "damaged"},
		"a text file": {plain +
			mixed(words, attached("text/plain; name=form.txt", "attachment", []byte("Dispute Resolution Form\nPerson ID: 1"))),
			"Please see the form.", 1, ""},
		"an accepted meeting": {plain + mixed(words, "Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\n"+
			"SUMMARY:Resolved: yes"), "Please see the form.", 0, ""},
		"a card and a piece cut off": {plain + mixed(words, attached("text/x-vcard; name=me.vcf", "attachment", []byte("BEGIN:VCARD")),
			attached("text/plain; name=ATT00001.txt", "attachment", []byte("This list is for all"))), "Please see the form.", 0, ""},
		"more files than are opened": {plain +
			mixed(append([]string{words}, slices.Repeat([]string{attached("text/html", "attachment; filename=f.html", []byte("<html>x"))},
				30)...)...), "Please see the form.", 20, "more than 20 files"},
		"winmail.dat": {plain + mixed(words, attached("application/ms-tnef; name=winmail.dat", "attachment", []byte("x"))),
			"Please see the form.", 0, "winmail.dat"},
		"an Outlook message": {plain +
			mixed(words, attached("application/vnd.ms-outlook", "attachment; filename=m.msg",
				container("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "__substg1.0_0037001F"))), "Please see the form.", 0, "an Outlook message (.msg)"},
		"an old Word file": {plain +
			mixed(words, attached("application/msword", "attachment; filename=f.doc",
				container("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "WordDocument"))), "Please see the form.", 0, "an old Word file (.doc)"},
		"a part without an end": {plain + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n" +
			"\r\n--b\r\n" + words + "\r\n--b\r\n" + attached(word, "attachment", form), "Please see the form.", 1, ""},
		"a line drawn in a form": {plain + "\r\nPerson ID: 1\r\n____________________\r\nStage 1\r\n", "Stage 1", 0, ""},
		"a line drawn by Outlook": {plain + "\r\nAgreed.\r\n____________________\r\nFrom: drpd\r\nSent: 1 March\r\nTo: me\r\n" +
			"Subject: s\r\n\r\nResolved: yes", "Agreed.", 0, ""},
		"a form in the body": {plain + "Content-Type: text/html\r\n\r\n" +
			"<html><body><h1>Dispute Resolution Form</h1><table><tr><td>Person ID</td><td>1</td></tr></table></body></html>",
			"Dispute Resolution Form", 0, ""},
		"messages within messages, deep": {plain + strings.Repeat("Content-Type: message/rfc822\r\n\r\nFrom: x@elsewhere.test\r\n", 30) + "\r\nx",
			"", 0, "nested deeper"},
		"UTF-16 with a mark": {plain + wide16("text/plain; charset=utf-16", "\ufeffIt’s Resolved: yes", binary.LittleEndian),
			"It’s Resolved: yes", 0, ""},
		"UTF-16 with a mark, big": {plain + wide16("text/plain; charset=UTF-16", "\ufeffIt’s Resolved: yes", binary.BigEndian),
			"It’s Resolved: yes", 0, ""},
		"UTF-16 without a mark": {plain + wide16("text/plain; charset=utf-16", "It’s Resolved: yes", binary.LittleEndian),
			"It’s Resolved: yes", 0, ""},
		"UTF-16LE": {plain + wide16("text/plain; charset=utf-16le", "\ufeffIt’s Resolved: yes", binary.LittleEndian),
			"It’s Resolved: yes", 0, ""},
		"UTF-16 that no one names": {plain + wide16("text/plain", "\ufeffIt’s Resolved: yes", binary.LittleEndian),
			"It’s Resolved: yes", 0, ""},
		"UTF-16 with neither": {plain + wide16("text/plain", "It’s Resolved: yes", binary.BigEndian), "It’s Resolved: yes", 0, ""},
		"UTF-16 that says ASCII": {plain + wide16("text/plain; charset=us-ascii", "\ufeffResolved: yes", binary.LittleEndian), "", 0,
			"other than it says"},
		"Chinese that says ASCII": {plain + "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
			"Resolved: \xc3\x43\xa4\xeb\xae\x61\xb0\x56\xa5\xbb", "Resolved:", 0, "other than it says"},
		"one letter that says UTF-8": {plain + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
			"It\x92s as we agreed on the telephone today: Resolved: yes", "s as we agreed on", 0, ""},
		"UTF-16 in HTML": {plain + wide16("text/html; charset=utf-16", "\ufeff<p>Resolved: yes</p>", binary.LittleEndian),
			"Resolved: yes", 0, ""},
		"a text file in UTF-16": {plain +
			mixed(words, "Content-Disposition: attachment\r\n"+
				strings.TrimSuffix(wide16("text/plain; name=form.txt", "\ufeffDispute Resolution Form\nPerson ID: 1", binary.LittleEndian), "\r\n")),
			"Please see the form.", 1, ""},
		"a mark of UTF-8": {plain + "Content-Type: text/plain; charset=utf-8\r\n\r\n\ufeffResolved: yes", "Resolved: yes", 0, ""},
		"uuencoded in the text": {plain + "\r\nPlease see the form.\r\n\r\n" + uuencoded("form.docx", form) + "\r\nTess\r\n",
			"Please see the form.\n\n\nTess", 1, ""},
		"uuencoded, blanks lost": {plain + "\r\nPlease see the form.\r\n" +
			regexp.MustCompile(` +\r\n`).ReplaceAllString(strings.ReplaceAll(uuencoded("form.docx", form), "`", " "), "\r\n"),
			"Please see the form.", 1, ""},
		"uuencoded without an end": {plain + "\r\nPlease see the form.\r\n" + uuencoded("form.docx", form)[:4000], "Please see the form.",
			0, "a file in its text is damaged"},
		"uuencoded, a picture": {plain + "\r\nPlease see the form.\r\n" + uuencoded("scan.JPG", []byte("\xff\xd8\xff")),
			"Please see the form.", 0, "a picture"},
		"words that begin so": {plain + "\r\nWe begin 2024 with this:\r\nbegin 2024 the plan\r\nand then go on",
			"We begin 2024 with this:\nbegin 2024 the plan\nand then go on", 0, ""},
		"an encoding of long ago, whole": {plain + mixed(words, "Content-Type: application/octet-stream; name=form.docx\r\n"+
			"Content-Transfer-Encoding: x-uuencode\r\n\r\n"+uuencoded("form.docx", form)), "Please see the form.", 1, ""},
		"an encoding of long ago": {plain + mixed(words, strings.Replace(attached(word, "attachment", form), "base64", "x-uuencode", 1)),
			"Please see the form.", 0, "encoded in a way"},
	} {
		t.Run(name, func(t *testing.T) {
			l := r.Read([]byte(tt.message))
			if strings.HasSuffix(name, "by Outlook") && l.Text != tt.text {
				t.Errorf("the text is %q", l.Text)
			}
			if l.From != "chair@council.example" || !strings.Contains(l.Text, tt.text) || tt.text == "" && l.Text != "" {
				t.Errorf("from %q, text %q", l.From, l.Text)
			}
			if len(l.Sheets) != tt.sheets || tt.unread == "" != (l.Unread+l.Over == "") || !strings.Contains(l.Unread+l.Over, tt.unread) {
				t.Errorf("%d forms, not read: %q", len(l.Sheets), l.Unread)
			}
			for _, s := range l.Sheets {
				if got, ok := r.Attachment([]byte(tt.message), s.Digest); !ok || !slices.Equal(got, s.Data) || s.Ext == ".docx" &&
					!slices.Equal(got, form) {
					t.Error("the form cannot be found again by its digest")
				}
			}
			if name == "a form in the body" && (l.Body == nil || len(l.Body.Lines) != 2) {
				t.Errorf("the body as a form: %+v", l.Body)
			}
			if signed := strings.HasPrefix(name, "signed"); signed && tt.unread == "" != strings.HasSuffix(l.Why, "; it is signed") ||
				signed && tt.unread != "" && !strings.Contains(l.Quoted, "Please see the form.") {
				t.Errorf("where it is from: %q; its words: %q", l.Why, l.Quoted)
			}
			if strings.HasPrefix(name, "messages within") && len(l.Problems) == 0 {
				t.Error("nothing says that there is more")
			}
		})
	}
}

// container is a file that begins with some bytes and names a stream as Microsoft's container does.
func container(head, stream string) []byte {
	out := []byte(head)
	for _, c := range []byte(stream) {
		out = append(out, c, 0)
	}
	return out
}

// wide16 is a part in UTF-16.
func wide16(kind, text string, order binary.ByteOrder) string {
	var data []byte
	for _, u := range utf16.Encode([]rune(text)) {
		data = append(data, 0, 0)
		order.PutUint16(data[len(data)-2:], u)
	}
	return "Content-Type: " + kind + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(data) + "\r\n"
}

// uuencoded is a file as uuencode(1) writes it.
func uuencoded(name string, data []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin 644 %s\r\n", name)
	six := func(n byte) {
		if n &= 63; n == 0 {
			n = 64
		}
		b.WriteByte(' ' + n)
	}
	for line := range slices.Chunk(data, 45) {
		six(byte(len(line)))
		for three := range slices.Chunk(line, 3) {
			three = append(slices.Clone(three), 0, 0)[:3]
			six(three[0] >> 2)
			six(three[0]<<4 | three[1]>>4)
			six(three[1]<<2 | three[2]>>6)
			six(three[2])
		}
		b.WriteString("\r\n")
	}
	return b.String() + "`\r\nend\r\n"
}
