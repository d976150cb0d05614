package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"drpd/adapters/host"
	"drpd/cmd/drpd/config"
)

type serviceCmd struct {
	Install   serviceInstallCmd   `cmd:"" help:"Have the machine run drpd: a unit of systemd, or a service of Windows, under an account of its own."`
	Uninstall serviceUninstallCmd `cmd:"" help:"Stop the service and take it away. The configuration, the state and the account stay."`
	Status    serviceStatusCmd    `cmd:"" help:"Whether the service is there and runs, in the words of the machine's service manager."`
}

type serviceInstallCmd struct {
	Name       string   `help:"What the service is called." default:"drpd"`
	Account    string   `help:"The account under which it runs. It is made where there is none (systemd); on Windows it is one of the service's own." placeholder:"NAME"`
	Credential []string `help:"A secret that systemd hands to the service, NAME:FILE: FILE may be root's alone, and the configuration names it as /run/credentials/SERVICE.service/NAME." placeholder:"NAME:FILE" sep:"none"`
	Print      bool     `help:"Print what would be installed, and install nothing."`
}

// Help says what the service may do.
func (c *serviceInstallCmd) Help() string {
	return "The service may write into the folders that the configuration names, and nowhere else: install it again where they change. It waits by itself " +
		"for servers that are not up yet, and is started again where it fails. A fault of the configuration (exit code 78) ends it for good: " +
		"mend it, and start the service. It is not started now."
}

// Validate implements the check of flags.
func (c *serviceInstallCmd) Validate() error {
	for _, x := range c.Credential {
		if name, file, ok := strings.Cut(x, ":"); !ok || name == "" || strings.ContainsAny(name, "/ ") || !filepath.IsAbs(file) {
			return fmt.Errorf("--credential %q: write it as NAME:FILE, the file with its whole path", x)
		}
	}
	return named(c.Name)
}

// named refuses what is no name for a service.
func named(name string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return fmt.Errorf("--name %q: letters, digits, - and _", name)
	}
	return nil
}

// Run installs the service, or prints what it would be.
func (c *serviceInstallCmd) Run(a *app) error {
	s, err := c.service(a)
	if err != nil {
		return err
	}
	if c.Print {
		a.printf("%s", host.Unit(s))
		return nil
	}
	next, err := host.InstallService(a.ctx, s)
	if err != nil {
		return err
	}
	a.printf("the service %s is installed. See that its account can read the configuration and the files that it names, then:\n", s.Name)
	for _, n := range next {
		a.printf("    %s\n", n)
	}
	return nil
}

// service is what is to be installed.
func (c *serviceInstallCmd) service(a *app) (s host.Service, err error) {
	file, err := filepath.Abs(a.config)
	if err != nil {
		return s, err
	}
	conf, err := config.Load(file)
	if err != nil {
		return s, err
	}
	program, err := os.Executable()
	if err != nil {
		return s, err
	}
	s = host.Service{Name: c.Name, Says: "drpd, dispute resolution of " + conf.Authority, Program: program,
		Args: []string{"--config", file, "run"}, Folder: filepath.Dir(file), Account: c.Account, Credentials: c.Credential,
		Private: []string{filepath.Dir(conf.Path(conf.State.Key))}}
	if runtime.GOOS == "windows" {
		s.Args = append(s.Args, "--log", filepath.Join(s.Folder, fleetLog))
	} else if s.Account == "" {
		s.Account = c.Name
	}
	all := writtenTo(conf)
	for _, r := range []*config.Records{&conf.Records, conf.MovingTo, conf.People} {
		if r != nil && r.File != "" { // a database writes beside its file
			all = append(all, folderKey{"records.file", filepath.Dir(r.File)})
		}
	}
	for _, x := range all {
		s.Writes = append(s.Writes, conf.Path(x.folder))
	}
	slices.Sort(s.Writes)
	s.Writes = slices.Compact(s.Writes)
	return s, nil
}

type serviceUninstallCmd struct {
	Name string `help:"What the service is called." default:"drpd"`
}

// Validate implements the check of flags.
func (c *serviceUninstallCmd) Validate() error { return named(c.Name) }

// Run takes the service away.
func (c *serviceUninstallCmd) Run(a *app) error {
	if err := host.RemoveService(a.ctx, c.Name); err != nil {
		return err
	}
	a.printf("the service %s is gone; the configuration, the state and its key are as they were\n", c.Name)
	return nil
}

type serviceStatusCmd struct {
	Name string `help:"What the service is called." default:"drpd"`
}

// Validate implements the check of flags.
func (c *serviceStatusCmd) Validate() error { return named(c.Name) }

// Run says how the service is.
func (c *serviceStatusCmd) Run(a *app) error {
	s, err := host.StateOf(a.ctx, c.Name)
	switch {
	case err != nil:
		return err
	case !s.Installed:
		return errors.New("no service of the name " + c.Name + " is installed: drpd service install")
	}
	a.printf("%s: %s\n", c.Name, s.State)
	if s.Says != "" {
		a.printf("it says: %s\n", s.Says)
	}
	return nil
}
