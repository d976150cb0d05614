//go:build unix

package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// private refuses a file that others can read. Two ways of handing a secret to a service give a file of which its account is not the owner,
// and which nobody but it can read: systemd's LoadCredential= puts it into the folder that CREDENTIALS_DIRECTORY names, and Kubernetes gives
// it to a group of the service alone, with root as owner.
func private(name string, info os.FileInfo) error {
	const others, writeGroup, everybody = 0o077, 0o030, 0o007
	mode := info.Mode().Perm()
	if mode&others == 0 {
		return nil
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	if mode&(writeGroup|everybody) == 0 && (credential(name) || owner != nil && owner.Uid == 0 && ours(int(owner.Gid))) {
		return nil
	}
	if owner != nil && int(owner.Uid) != os.Geteuid() && os.Geteuid() != 0 {
		return fmt.Errorf("%s holds what is secret, others can read it (mode %o), and it belongs to another account: make this account its "+
			"owner, and chmod 600", name, mode)
	}
	return fmt.Errorf("%s holds what is secret and others can read it (mode %o): chmod 600", name, mode)
}

// restrict has nobody else use a file: WriteFile has seen to that.
func restrict(string) error { return nil }

// credential says whether a file lies in the folder of the secrets that systemd hands to this service.
func credential(name string) bool {
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	if folder == "" {
		return false
	}
	folder, err := filepath.EvalSymlinks(folder)
	file, err2 := filepath.EvalSymlinks(name)
	return err == nil && err2 == nil && strings.HasPrefix(file, folder+string(filepath.Separator))
}

// ours says whether this process is of a group, and the group is not root's.
func ours(group int) bool {
	groups, err := os.Getgroups()
	return group != 0 && (group == os.Getegid() || err == nil && slices.Contains(groups, group))
}
