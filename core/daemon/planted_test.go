package daemon_test

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var planted = flag.Bool("planted", false, "apply each planted bug to a copy, and see that it is found")

// TestPlantedBugs breaks each law on purpose, in a copy of the module, and sees that the test named in the patch finds
// it. A law that no planted bug can break is not tested.
func TestPlantedBugs(t *testing.T) {
	patches, err := filepath.Glob("testdata/planted/*.patch")
	if err != nil || len(patches) < 8 {
		t.Fatalf("%d planted bugs, %v", len(patches), err)
	}
	for _, name := range patches {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			head, patch, _ := strings.Cut(string(src), "\n\n")
			run, find, _ := strings.Cut(head, "\n")
			run, find = strings.TrimPrefix(run, "run: "), strings.TrimPrefix(find, "find: ")
			copied := copyModule(t)
			apply(t, copied, patch)
			if !*planted {
				return // that it still applies is always tested; .ci/run also runs it
			}
			cmd := exec.CommandContext(t.Context(), "go", append([]string{"test"}, strings.Fields(run)...)...)
			cmd.Dir = copied
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("not found by: go test %s", run)
			}
			if !regexp.MustCompile(find).Match(out) {
				t.Errorf("found, but not as %q:\n%s", find, out)
			}
		})
	}
}

// copyModule copies the sources of the module.
func copyModule(t *testing.T) string {
	t.Helper()
	root, to := filepath.Join("..", ".."), t.TempDir()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".git") || d.Name() == "drpd-demo" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

var hunk = regexp.MustCompile(`(?m)^@@ .*@@.*$`)

// apply replaces each hunk's old lines by its new ones.
func apply(t *testing.T, root, patch string) {
	t.Helper()
	_, rest, _ := strings.Cut(patch, "+++ b/")
	file, body, _ := strings.Cut(rest, "\n")
	name := filepath.Join(root, filepath.FromSlash(strings.TrimSpace(file)))
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	for _, h := range hunk.Split(body, -1)[1:] {
		var before, after strings.Builder
		for _, line := range strings.SplitAfter(strings.TrimPrefix(h, "\n"), "\n") {
			if line == "" {
				continue
			}
			switch line[0] {
			case '-':
				before.WriteString(line[1:])
			case '+':
				after.WriteString(line[1:])
			default:
				before.WriteString(line[1:])
				after.WriteString(line[1:])
			}
		}
		if strings.Count(text, before.String()) != 1 {
			t.Fatalf("the planted bug no longer applies to %s: make it anew", file)
		}
		text = strings.Replace(text, before.String(), after.String(), 1)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
