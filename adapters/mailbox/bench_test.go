package mailbox_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"
)

// BenchmarkMessage reads a message with a form of a word processor, from its bytes to the words and tables in it.
func BenchmarkMessage(b *testing.B) {
	form, err := os.ReadFile("../../testdata/forms/southfold.odt")
	if err != nil {
		b.Fatal(err)
	}
	var m strings.Builder
	m.WriteString(vouched + "From: A Chair <chair@council.example>\r\nTo: drp@council.example\r\nSubject: Form\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: application/vnd.oasis.opendocument.text; name=form.odt\r\nContent-Disposition: attachment; filename=form.odt\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(form)
	for ; len(text) > 76; text = text[76:] {
		m.WriteString(text[:76] + "\r\n")
	}
	raw, r := []byte(m.String()+text+"\r\n"), reader(b)
	b.ReportAllocs()
	for b.Loop() {
		if l := r.Read(raw); len(l.Sheets) != 1 {
			b.Fatalf("%d forms are in it: %s%s", len(l.Sheets), l.Unread, l.Unsafe)
		}
	}
}
