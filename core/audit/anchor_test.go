package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"drpd/core/audit"
)

const of = "drpd.fairshire.example/audit"

var began = time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC)

// keyOf is a made-up key.
func keyOf(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func publicOf(b byte) audit.Own { return audit.Own(keyOf(b).Public().(ed25519.PublicKey)) }

// anchorOf anchors entries, on the n-th day.
func anchorOf(t interface{ Fatal(...any) }, day int, entries []audit.Entry) audit.Anchor {
	var tree audit.Tree
	for _, e := range entries {
		tree.Add(e)
	}
	a, err := audit.Anchor{Of: of, Size: tree.Size(), Root: tree.Root(), At: began.AddDate(0, 0, day)}.Sign(keyOf(1))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The tree is RFC 6962's, as another program makes it of all hashes; it can be kept at any size, and goes on from there.
func TestTree(t *testing.T) {
	var tree audit.Tree
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, e := range append(chain(70), audit.Entry{}) {
		want, err := tlog.TreeHash(int64(i), read)
		if err != nil || tree.Root() != want || tree.Size() != int64(i) {
			t.Fatalf("%d entries: %v, want %v, %v", i, tree.Root(), want, err)
		}
		if tree, err = audit.ParseTree(tree.Text()); err != nil {
			t.Fatal(err)
		}
		tree.Add(e)
		more, err := tlog.StoredHashes(int64(i), e.Record(), read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	for _, text := range []string{"", "x", "1", "0 x", "-1", "2 " + stored[0].String() + " " + stored[1].String()} {
		if tree, err := audit.ParseTree(text); err == nil {
			t.Errorf("%q is a tree of %d", text, tree.Size())
		}
	}
}

// A leaf is what the documentation says, so that others can make it.
func TestRecord(t *testing.T) {
	e := audit.Entry{Seq: 12, At: 1700000000000, Actor: "drpd", Action: "attempted", Subject: "é", Detail: "", Code: "c0de"}
	if got, want := string(e.Record()), "2:1213:17000000000004:drpd9:attempted2:é0:4:c0de"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// In whatever an anchor is kept it is found, once; what is none, or not of this key, is said and not taken for one.
func TestReadAnchors(t *testing.T) {
	a, b := anchorOf(t, 0, chain(3)), anchorOf(t, 1, chain(4))
	another, err := audit.Anchor{Of: "drpd.northmere.example/audit", Size: 3, Root: a.Root, At: a.At}.Sign(keyOf(2))
	if err != nil {
		t.Fatal(err)
	}
	renamed, err := audit.Anchor{Of: "old.fairshire.example/audit", Size: 2, Root: a.Root, At: a.At}.Sign(keyOf(1))
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(a.Note))
	var wrapped, quoted strings.Builder
	for line := range slices.Chunk([]byte(encoded), 76) {
		wrapped.WriteString(string(line) + "\r\n")
	}
	w := quotedprintable.NewWriter(&quoted)
	_, _ = w.Write([]byte(strings.ReplaceAll(a.Note, "\n", "\r\n")))
	_ = w.Close()
	head := "From: drpd@fairshire.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	book := strings.Repeat("UEsDBBQACAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n", 4000)
	for name, x := range map[string]struct {
		file                   string
		anchors                []audit.Anchor
		foreign, forged, broke int
	}{
		"the file beside the key":  {"\n" + a.Note + "\n" + b.Note, []audit.Anchor{a, b}, 0, 0, 0},
		"one twice":                {a.Note + "\n" + a.Note, []audit.Anchor{a}, 0, 0, 0},
		"copied on Windows":        {"\ufeffKeep this:\r\n\r\n" + strings.ReplaceAll(a.Note, "\n", "\r\n"), []audit.Anchor{a}, 0, 0, 0},
		"in an answer":             {"> " + strings.ReplaceAll(a.Note, "\n", "\n> "), []audit.Anchor{a}, 0, 0, 0},
		"an email":                 {head + wrapped.String() + "--x--\r\n", []audit.Anchor{a}, 0, 0, 0},
		"after a workbook":         {head + book + "\r\n--x\r\n\r\n" + wrapped.String(), []audit.Anchor{a}, 0, 0, 0},
		"quoted-printable":         {head + quoted.String() + "\r\n--x--\r\n", []audit.Anchor{a}, 0, 0, 0},
		"torn in its root":         {"\n" + a.Note[:40] + "\n" + b.Note, []audit.Anchor{b}, 0, 0, 0},
		"torn in its signature":    {"\n" + a.Note[:len(a.Note)-20] + "\n" + b.Note, []audit.Anchor{b}, 0, 0, 1},
		"torn at the end":          {"\n" + a.Note + "\n" + b.Note[:len(b.Note)-30], []audit.Anchor{a}, 0, 0, 1},
		"another number of it":     {strings.Replace(a.Note, "\n3\n", "\n4\n", 1), nil, 0, 1, 0},
		"another time of it":       {strings.Replace(a.Note, "2026-03-02", "2026-03-03", 1), nil, 0, 1, 0},
		"of another authority":     {another.Note + "\n" + a.Note, []audit.Anchor{a}, 1, 0, 0},
		"under its former name":    {renamed.Note, []audit.Anchor{renamed}, 0, 0, 0},
		"nothing":                  {"", nil, 0, 0, 0},
		"something else":           {strings.Repeat("— ", 9000) + "\n\n\n\n\n\n— x\n", nil, 0, 0, 1},
		"a line that has no end":   {strings.Repeat("x", 9000), nil, 0, 0, 0},
		"a mark and nothing else":  {a.Of + "\n3\n\n\n\n— \n", nil, 0, 0, 0},
		"signed, and of two lines": {signedAs(t, of+"\n3\n"+a.Root.String()+"\nsoon\n"), nil, 0, 1, 0},
		"signed in another's name": {signedAs(t, strings.Replace(anchorText(a), of, "drpd.northmere.example/audit", 1)), nil, 0, 1, 0},
	} {
		got, err := audit.ReadAnchors(strings.NewReader(x.file), publicOf(1))
		if err != nil || !slices.Equal(got.Anchors, x.anchors) || len(got.Foreign) != x.foreign || got.Forged != x.forged || got.Torn != x.broke {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func anchorText(a audit.Anchor) string {
	text, _, _ := strings.Cut(a.Note, "\n\n")
	return text + "\n"
}

// signedAs signs a text that may be no anchor.
func signedAs(t *testing.T, text string) string {
	t.Helper()
	digest, err := audit.VerifierKey(of, keyOf(1).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(digest)
	if err != nil {
		t.Fatal(err)
	}
	sig := append([]byte{byte(v.KeyHash() >> 24), byte(v.KeyHash() >> 16), byte(v.KeyHash() >> 8), byte(v.KeyHash())},
		ed25519.Sign(keyOf(1), []byte(text))...)
	return fmt.Sprintf("%s\n— %s %s\n", text, of, base64.StdEncoding.EncodeToString(sig))
}

// The public key as it is printed verifies what the secret one signed, under its name and no other.
func TestVerifierKey(t *testing.T) {
	text, err := audit.VerifierKey(of, keyOf(1).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.ReadAnchors(strings.NewReader(anchorOf(t, 0, chain(3)).Note), note.VerifierList(v))
	if err != nil || len(got.Anchors) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, name := range []string{"", "two words", "a+b"} {
		if _, err := audit.VerifierKey(name, keyOf(1).Public().(ed25519.PublicKey)); err == nil {
			t.Errorf("%q names a history", name)
		}
	}
}

// Whatever stands in a file, reading it ends, and what it gives was signed.
func FuzzAnchors(f *testing.F) {
	a := anchorOf(f, 0, chain(3))
	f.Add([]byte("\n" + a.Note))
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(a.Note))))
	f.Add([]byte(strings.ReplaceAll(strings.ReplaceAll(a.Note, "=", "=3D"), "—", "=E2=80=94")))
	f.Add([]byte(strings.Repeat("\n", 5) + "— a b"))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := audit.ReadAnchors(bytes.NewReader(file), publicOf(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range got.Anchors {
			if x != a { // nobody can make another
				t.Errorf("%+v", x)
			}
		}
	})
}

// Whatever stands in a log, reading it ends; what it reads is written as it was read.
func FuzzLog(f *testing.F) {
	var log bytes.Buffer
	for _, e := range chain(2) {
		_ = audit.WriteEntry(&log, e)
	}
	f.Add(log.Bytes())
	f.Add([]byte(`{"seq":1}` + "\n\n" + `{"actor":"\ud800"}`))
	f.Fuzz(func(t *testing.T, log []byte) {
		var read, again []audit.Entry
		if audit.ReadLog(bytes.NewReader(log), func(e audit.Entry) { read = append(read, e) }) != nil {
			return
		}
		var b bytes.Buffer
		for _, e := range read {
			_ = audit.WriteEntry(&b, e)
		}
		if err := audit.ReadLog(&b, func(e audit.Entry) { again = append(again, e) }); err != nil || !slices.Equal(read, again) {
			t.Errorf("%+v, again %+v, %v", read, again, err)
		}
	})
}

// A log with a line that is no entry says which.
func TestReadLog(t *testing.T) {
	var log bytes.Buffer
	for _, e := range chain(2) {
		_ = audit.WriteEntry(&log, e)
	}
	good := log.String()
	for name, x := range map[string]struct{ log, want string }{
		"whole":         {good, ""},
		"from Windows":  {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"torn":          {good[:len(good)-10], "line 2 of the log is no entry, as drpd audit export writes them"},
		"another field": {good + `{"seq":3,"name":"x"}`, "line 3 of the log is no entry, as drpd audit export writes them"},
		"two in a line": {good + `{"seq":3}{"seq":4}`, "line 3 of the log is no entry, as drpd audit export writes them"},
		"no end":        {good + strings.Repeat("x", 2<<20), "line 3 of the log is longer than any entry"},
	} {
		err := audit.ReadLog(strings.NewReader(x.log), func(audit.Entry) {})
		if got := fmt.Sprint(err); x.want == "" && err != nil || x.want != "" && got != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
