package docstore_test

import (
	"errors"
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

func TestChildIsNoPath(t *testing.T) {
	f := &docstore.Folder{Path: t.TempDir(), Write: host.WriteFile}
	for _, child := range []string{"", "../x", "a/b", `a\b`, ".."} {
		var permanent port.Permanent
		if err := f.KeepForm(t.Context(), port.FormFile{Reference: "r", Child: child, Name: "f.docx"}); !errors.As(err, &permanent) {
			t.Errorf("child %q: %v", child, err)
		}
	}
}
