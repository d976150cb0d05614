package host

import (
	"strings"
)

// Service is drpd as the machine's service manager runs it.
type Service struct {
	Name        string   // of the service, and of the account that it gets where Account is empty
	Says        string   // what it is, in a line
	Program     string   // the whole path
	Args        []string // of the program
	Folder      string   // in which it is started: the configuration's
	Account     string   // under which it runs
	Writes      []string // folders and files that it writes to, whole paths
	Private     []string // of these, the ones that nobody but it and administrators may look into
	Credentials []string // secrets that the manager hands to it, NAME:FILE (systemd)
}

// ServiceState is how a service is.
type ServiceState struct {
	Installed bool
	State     string // in the manager's words
	Says      string // what drpd has told it
}

// unitOf is the unit of a service for systemd. What the program may do is bounded to what drpd does: it writes into the folders named, opens
// connections, starts itself once more, and no more.
func unitOf(s Service) string {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, "") + "\n") }
	line("[Unit]")
	line("Description=", plain(s.Says))
	line("Wants=network-online.target")
	line("After=network-online.target")
	line("# drpd waits by itself for a server that is not up yet; a fault that it cannot wait out is tried again for good.")
	line("StartLimitIntervalSec=0")
	line()
	line("[Service]")
	line("Type=notify")
	line("NotifyAccess=main")
	exec := []string{quoted(s.Program, true)}
	for _, a := range s.Args {
		exec = append(exec, quoted(a, true))
	}
	line("ExecStart=", strings.Join(exec, " "))
	line("ExecReload=kill -HUP $MAINPID")
	line("WorkingDirectory=", escaped(s.Folder))
	line("User=", s.Account)
	line("UMask=0077")
	for _, c := range s.Credentials {
		line("LoadCredential=", escaped(c))
	}
	line("Restart=on-failure")
	line("RestartSec=10")
	line("# 78: the configuration has a fault, which does not go away by itself. 2 is not among them: a program that dies in a panic ends with it.")
	line("RestartPreventExitStatus=78")
	line("TimeoutStartSec=2min")
	line("TimeoutStopSec=2min")
	line("# drpd gives signs of life only while its work goes on.")
	line("WatchdogSec=5min")
	line()
	line("ProtectSystem=strict")
	for _, w := range s.Writes {
		line("ReadWritePaths=", quoted("-"+w, false)) // one that is not there yet keeps nothing from starting
	}
	home := "yes"
	for _, p := range append([]string{s.Folder, s.Program}, s.Writes...) {
		for _, in := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(p+"/", in) {
				home = "no" // what it needs lies there
			}
		}
	}
	line("ProtectHome=", home)
	for _, l := range []string{"NoNewPrivileges=yes", "CapabilityBoundingSet=", "AmbientCapabilities=", "PrivateTmp=yes", "PrivateDevices=yes",
		"PrivateUsers=yes", "ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHostname=yes", "ProtectKernelLogs=yes",
		"ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectProc=invisible", "ProcSubset=pid", "RemoveIPC=yes",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
		"LockPersonality=yes", "MemoryDenyWriteExecute=yes", "KeyringMode=private", "SystemCallArchitectures=native",
		"SystemCallFilter=@system-service seccomp", "SystemCallFilter=~@privileged", "SystemCallErrorNumber=EPERM", "LimitCORE=0", "",
		"[Install]", "WantedBy=multi-user.target"} {
		line(l)
	}
	return b.String()
}

// plain is words in one line of a unit.
func plain(s string) string { return escaped(strings.Join(strings.Fields(s), " ")) }

// escaped is a value of a unit in which nothing stands for something else.
func escaped(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// quoted is one word of a list in a unit, of a command line or not.
func quoted(s string, command bool) string {
	if s = escaped(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)); command {
		s = strings.ReplaceAll(s, "$", "$$")
	}
	return `"` + s + `"`
}
