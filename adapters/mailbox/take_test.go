package mailbox_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"drpd/adapters/mailbox"
)

// A message is the same evidence by whatever way it comes; of one over the size limit its head is kept; one that is empty is none yet, and
// one that breaks off is an error.
func TestTake(t *testing.T) {
	dir := t.TempDir()
	const text = "From: a@council.example\r\n\r\nText.\r\n"
	if err := os.WriteFile(filepath.Join(dir, "a.eml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(time.Minute)
	batch, _, err := (&mailbox.Folder{Name: "mailbox", Path: dir}).Poll(t.Context(), nil, now)
	if err != nil || len(batch) != 1 {
		t.Fatal(len(batch), err)
	}
	for _, size := range []int64{-1, int64(len(text))} {
		ev, err := mailbox.Take("mailbox", strings.NewReader(text), size, now)
		if err != nil || ev.ID != batch[0].ID || ev.Source != "mailbox" || string(ev.Body) != text || !ev.Learned.Equal(now) {
			t.Errorf("size %d: %+v, %v", size, ev, err)
		}
	}
	const limit = 25 << 20
	for name, tt := range map[string]struct {
		size int64
		body io.Reader
		want string
	}{
		"the largest":         {-1, strings.NewReader(strings.Repeat("x", limit)), "xxx"},
		"too large, told":     {limit + 1, strings.NewReader(strings.Repeat("x", limit+1)), "drpd: the message is over the size limit: 26214401 bytes"},
		"too large":           {-1, strings.NewReader(strings.Repeat("x", limit+1)), "drpd: the message is over the size limit: more than 26214400 bytes"},
		"empty":               {0, strings.NewReader(""), ""},
		"blank":               {4, strings.NewReader("\r\n\r\n"), ""},
		"one that has no end": {-1, endless{}, "drpd: the message is over the size limit: more than"},
	} {
		ev, err := mailbox.Take("mailbox", tt.body, tt.size, now)
		if err != nil || !strings.HasPrefix(string(ev.Body), tt.want) || (tt.want == "") != (ev.ID == "") || tt.want != "xxx" && len(ev.Body) > 300<<10 {
			t.Errorf("%s: %d bytes, id %q, %v", name, len(ev.Body), ev.ID, err)
		}
	}
	broken := errors.New("broken")
	for _, size := range []int64{-1, limit + 1} {
		if ev, err := mailbox.Take("mailbox", io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), size, now); !errors.Is(err, broken) || ev.ID != "" {
			t.Errorf("half a message: %+v, %v", ev, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
