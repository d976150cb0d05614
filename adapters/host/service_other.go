//go:build !windows

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

const (
	unitFolder    = "/etc/systemd/system"
	accountFolder = "/etc/sysusers.d"
	managerTime   = time.Minute // in which the service manager must answer
)

// Unit is what InstallService writes for the service manager.
func Unit(s Service) string { return unitOf(s) }

// InstallService makes the account and the unit of a service, and has it started with the machine. It is not started now. What it writes to
// must exist and be the account's: see what it gives.
func InstallService(ctx context.Context, s Service) (next []string, err error) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return nil, errors.New("this machine has no systemd: run drpd by its own service manager, or write the unit with --print")
	}
	if _, err := user.Lookup(s.Account); err != nil {
		line := fmt.Sprintf("u %s - \"drpd\"\n", s.Account)
		if err := os.WriteFile(filepath.Join(accountFolder, s.Name+".conf"), []byte(line), 0o644); err != nil { //nolint:gosec // no secret
			return nil, fmt.Errorf("the account %s cannot be made: %w", s.Account, err)
		}
		if err := manager(ctx, nil, "systemd-sysusers"); err != nil {
			return nil, fmt.Errorf("the account %s cannot be made: %w", s.Account, err)
		}
	}
	if err := os.WriteFile(unitFile(s.Name), []byte(unitOf(s)), 0o644); err != nil { //nolint:gosec // all may read a unit
		return nil, fmt.Errorf("the unit cannot be written: %w", err)
	}
	if err := manager(ctx, nil, "systemctl", "daemon-reload"); err != nil {
		return nil, err
	}
	if err := manager(ctx, nil, "systemctl", "enable", s.Name+".service"); err != nil {
		return nil, err
	}
	for _, w := range s.Writes {
		if _, err := os.Stat(w); errors.Is(err, fs.ErrNotExist) {
			next = append(next, fmt.Sprintf("install -d -m 700 -o %s %q", s.Account, w))
		}
	}
	return append(next, "systemctl start "+s.Name), nil
}

// RemoveService stops a service and takes its unit away. The account and all files stay.
func RemoveService(ctx context.Context, name string) error {
	if _, err := os.Stat(unitFile(name)); err != nil {
		return fmt.Errorf("there is no service of the name %s: %w", name, err)
	}
	return errors.Join(manager(ctx, nil, "systemctl", "disable", "--now", name+".service"), os.Remove(unitFile(name)),
		manager(ctx, nil, "systemctl", "daemon-reload"))
}

// StateOf asks the service manager how a service is.
func StateOf(ctx context.Context, name string) (s ServiceState, err error) {
	var out bytes.Buffer
	err = manager(ctx, &out, "systemctl", "show", "--property=LoadState,ActiveState,SubState,Result,StatusText", name+".service")
	if err != nil {
		return s, err
	}
	said := make(map[string]string)
	for _, l := range strings.Split(out.String(), "\n") {
		key, value, _ := strings.Cut(l, "=")
		said[key] = value
	}
	s.Installed = said["LoadState"] == "loaded"
	s.State = said["ActiveState"] + " (" + said["SubState"] + ")"
	if r := said["Result"]; r != "" && r != "success" {
		s.State += ", ended by " + r
	}
	s.Says = said["StatusText"]
	return s, nil
}

func unitFile(name string) string { return filepath.Join(unitFolder, name+".service") }

// manager runs a command of the service manager. What it writes goes to out, where that is not nil.
func manager(ctx context.Context, out *bytes.Buffer, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, managerTime)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // fixed commands, and the name of a service, which was checked
	var errs bytes.Buffer
	if c.Stderr = &errs; out != nil {
		c.Stdout = out
	}
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return nil
}

// Serve runs drpd as a service, where the service manager asks a program to tell it so by calls: systemd does not.
func Serve(string, func(context.Context, <-chan os.Signal) int) (code int, served bool, err error) {
	return 0, false, nil
}
