package daemon_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var planted = flag.Bool("planted", false, "apply each planted bug to a copy, and see that it is found")

// TestPlantedBugs breaks each law on purpose, with one file of the module replaced for the build, and sees that the test named in the
// patch finds it. A law that no planted bug can break is not tested.
func TestPlantedBugs(t *testing.T) {
	patches, err := filepath.Glob("testdata/planted/*.patch")
	if err != nil || len(patches) < 8 {
		t.Fatalf("%d planted bugs, %v", len(patches), err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range patches {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel() // linking keeps one processor busy
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			head, patch, _ := strings.Cut(string(src), "\n\n")
			run, find, _ := strings.Cut(head, "\n")
			run, find = strings.TrimPrefix(run, "run: "), strings.TrimPrefix(find, "find: ")
			file, broken := apply(t, root, patch)
			if !*planted {
				return // that it still applies is always tested; .ci/run also runs it
			}
			overlay := replacing(t, file, broken)
			cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-vet=off", "-ldflags=-s -w", "-overlay=" + overlay}, strings.Fields(run)...)...)
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("not found by: go test %s", run)
			}
			at := regexp.MustCompile(".*" + "(?:" + find + ").*").Find(out)
			if at == nil {
				t.Errorf("found, but not as %q:\n%s", find, out)
			}
			t.Logf("%s", bytes.TrimSpace(at))
		})
	}
}

// replacing writes what makes a build read other text in place of a file.
func replacing(t *testing.T, file, text string) (overlay string) {
	t.Helper()
	dir := t.TempDir()
	broken := filepath.Join(dir, filepath.Base(file))
	body, err := json.Marshal(map[string]any{"Replace": map[string]string{file: broken}})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	for name, content := range map[string][]byte{broken: []byte(text), overlay: body} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}

var hunk = regexp.MustCompile(`(?m)^@@ .*@@.*$`)

// apply gives the text of the file that a patch changes, with each hunk's old lines replaced by its new ones.
func apply(t *testing.T, root, patch string) (name, text string) {
	t.Helper()
	_, rest, _ := strings.Cut(patch, "+++ b/")
	file, body, _ := strings.Cut(rest, "\n")
	name = filepath.Join(root, filepath.FromSlash(strings.TrimSpace(file)))
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = string(src)
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
	return name, text
}
