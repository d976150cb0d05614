package docstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"drpd/adapters/host"
	"drpd/adapters/records/docstore"
	"drpd/core/daemon/porttest"
	"drpd/core/port"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	porttest.TestFormKeeper(t, &docstore.Folder{Path: dir, Write: host.WriteFile}, func(t *testing.T, child string) int {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, child, "*.docx"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	})
}

// A child's number, and what a form is called, lead nowhere but into the store, on every system, and what was kept is found again for
// erasing, whatever the store's own path holds.
func TestChildIsNoPath(t *testing.T) {
	f := &docstore.Folder{Path: filepath.Join(t.TempDir(), "d[1]", "*"), Write: host.WriteFile}
	for i, child := range []string{"../x", "a/b", `a\b`, "..", "5103.1", "NUL", "a:b"} {
		if err := f.KeepForm(t.Context(), port.FormFile{Dispute: "W-AAAAAA", Reference: "r", Child: child, Name: "f.do?c|"}); err != nil {
			t.Errorf("child %q: %v", child, err)
		}
		entries, err := os.ReadDir(f.Path)
		if err != nil || len(entries) != i+1 {
			t.Errorf("child %q: %d folders, %v", child, len(entries), err)
		}
	}
	if above, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(above) != 1 {
		t.Errorf("%d folders beside the store, %v", len(above), err)
	}
	var permanent port.Permanent
	if err := f.KeepForm(t.Context(), port.FormFile{Reference: "r", Name: "f.docx"}); !errors.As(err, &permanent) {
		t.Errorf("no child: %v", err)
	}
	if n, err := f.Erase("W-AAAAAA"); n != 14 || err != nil {
		t.Errorf("%d files were taken away, %v", n, err)
	}
}
