package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// What a group can read of which everybody is, is no secret; a secret that drpd writes is one, whatever its folder gives to others.
func TestAccess(t *testing.T) {
	dir := t.TempDir()
	everybody, err := windows.CreateWellKnownSid(windows.WinWorldSid)
	if err != nil {
		t.Fatal(err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	if err := alone(dir, user.User.Sid); err != nil {
		t.Fatal(err)
	}
	write := func(name string, by func(string, []byte) error) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := by(path, []byte("secret")); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "secret" {
			t.Errorf("%q, %v", b, err)
		}
		return path
	}
	if err := Private(write("a", WriteSecret)); err != nil {
		t.Errorf("in a folder of one's own: %v", err)
	}
	if err := grant(dir, everybody, windows.GENERIC_READ); err != nil {
		t.Fatal(err)
	}
	open := write("b", WriteFile)
	if err := grant(open, everybody, windows.GENERIC_READ); err != nil {
		t.Fatal(err)
	}
	if err := Private(open); err == nil || !strings.Contains(err.Error(), "Everyone") || !strings.Contains(err.Error(), "icacls") {
		t.Errorf("everybody can read it: %v", err)
	}
	if _, err := Secret(open); err == nil {
		t.Error("a secret that everybody can read was read")
	}
	if err := restrict(open); err != nil {
		t.Fatal(err)
	}
	if err := Private(open); err != nil {
		t.Errorf("once it is restricted: %v", err)
	}
	if err := Private(write("c", WriteSecret)); err != nil {
		t.Errorf("a secret in a folder that everybody can read: %v", err)
	}
}

// Which access lists are those of a secret, as Windows writes them down.
func TestReaders(t *testing.T) {
	for list, want := range map[string]string{
		"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1301bf;;;S-1-5-80-1-2-3-4-5)": "", // as a service has it
		"D:P(A;;FA;;;SY)(A;;FA;;;BA)":                                   "",
		"D:(A;;FA;;;SY)(A;;0x1200a9;;;WD)":                              "Everyone",
		"D:(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)":                          "Users", // as below C:\ProgramData
		"D:(A;ID;0x1301bf;;;AU)":                                        "Authenticated Users",
		"D:(A;;GA;;;BG)":                                                "Guests",
		"D:(A;;GR;;;IU)":                                                "INTERACTIVE",
		"D:(A;;0x100080;;;WD)":                                          "", // its attributes alone
		"D:(D;;FA;;;WD)(A;;FA;;;BA)":                                    "", // they may not
		"D:(A;OICIIO;FA;;;WD)(A;;FA;;;BA)":                              "", // of a folder, what is put into it
	} {
		sd, err := windows.SecurityDescriptorFromString(list)
		if err != nil {
			t.Fatal(list, err)
		}
		if got, err := readers(sd); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", list, got, err, want)
		}
	}
	service, err := windows.StringToSid("S-1-5-80-1-2-3-4-5")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := only(service)
	if err != nil {
		t.Fatal(err)
	}
	acl, err := windows.ACLFromEntries(entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := windows.NewSecurityDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	if err := sd.SetDACL(acl, true, false); err != nil {
		t.Fatal(err)
	}
	if who, err := readers(sd); who != "" || err != nil || acl.AceCount != 3 {
		t.Errorf("%d entries, %q, %v: %s", acl.AceCount, who, err, sd)
	}
}
