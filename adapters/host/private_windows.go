package host

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// many are the groups that everybody on the machine, or in the domain, is of.
func many() map[windows.WELL_KNOWN_SID_TYPE]string {
	return map[windows.WELL_KNOWN_SID_TYPE]string{windows.WinWorldSid: "Everyone", windows.WinAuthenticatedUserSid: "Authenticated Users",
		windows.WinBuiltinUsersSid: "Users", windows.WinBuiltinGuestsSid: "Guests", windows.WinInteractiveSid: "INTERACTIVE",
		windows.WinNetworkSid: "NETWORK"}
}

// private refuses a file that one of the groups can read of which everybody is. Whom else its access list names is the administrator's business.
func private(name string, _ os.FileInfo) error {
	sd, err := windows.GetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("who can read %s cannot be seen: %w", name, err)
	}
	who, err := readers(sd)
	if err != nil {
		return fmt.Errorf("who can read %s cannot be seen: %w", name, err)
	}
	if who != "" {
		return fmt.Errorf("%s holds what is secret and others can read it (%s): %s", name, who, remedy(name))
	}
	return nil
}

// readers is the first group of which everybody is and that an access list lets read; "": none.
func readers(sd *windows.SECURITY_DESCRIPTOR) (string, error) {
	acl, _, err := sd.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && acl == nil {
		return "everybody, as it has no access list", nil
	}
	if err != nil {
		return "", err
	}
	const reads = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return "", err
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Mask&reads == 0 || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)) // the list holds it from there on
		for kind, name := range many() {
			if sid.IsWellKnown(kind) {
				return name, nil
			}
		}
	}
	return "", nil
}

// remedy is what an administrator says to have a file read by nobody else. Groups are named by their numbers: their names are in the language
// of the system.
func remedy(name string) string {
	return fmt.Sprintf(`icacls "%s" /inheritance:r /grant:r "%%USERNAME%%:F" *S-1-5-18:F *S-1-5-32-544:F, and the account of the service where it is another`,
		strings.ReplaceAll(name, "%", "%%"))
}

// restrict has nobody but this account, the system and administrators use a file.
func restrict(name string) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("access to %s: %w", name, err)
	}
	return alone(name, user.User.Sid)
}

// modify is all that a program does with files but to give them away.
const modify = windows.GENERIC_READ | windows.GENERIC_WRITE | windows.GENERIC_EXECUTE | windows.DELETE

func entry(sid *windows.SID, may windows.ACCESS_MASK) windows.EXPLICIT_ACCESS {
	return windows.EXPLICIT_ACCESS{AccessPermissions: may, AccessMode: windows.GRANT_ACCESS, Inheritance: windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
		Trustee: windows.TRUSTEE{TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeValue: windows.TrusteeValueFromSID(sid)}}
}

// grant lets an account use a folder and all in it, besides those who may already.
func grant(folder string, sid *windows.SID, may windows.ACCESS_MASK) error {
	sd, err := windows.GetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("access to %s: %w", folder, err)
	}
	before, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("access to %s: %w", folder, err)
	}
	return listed(folder, windows.DACL_SECURITY_INFORMATION, []windows.EXPLICIT_ACCESS{entry(sid, may)}, before)
}

// alone lets an account use a file, or a folder and all in it, and nobody else but the system and administrators.
func alone(name string, sid *windows.SID) error {
	entries, err := only(sid)
	if err != nil {
		return fmt.Errorf("access to %s: %w", name, err)
	}
	return listed(name, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, entries, nil)
}

// only are the entries of an account, the system and administrators.
func only(sid *windows.SID) ([]windows.EXPLICIT_ACCESS, error) {
	entries := []windows.EXPLICIT_ACCESS{entry(sid, modify)}
	for _, known := range []windows.WELL_KNOWN_SID_TYPE{windows.WinLocalSystemSid, windows.WinBuiltinAdministratorsSid} {
		other, err := windows.CreateWellKnownSid(known)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry(other, windows.GENERIC_ALL))
	}
	return entries, nil
}

// listed puts entries into an access list.
func listed(name string, how windows.SECURITY_INFORMATION, entries []windows.EXPLICIT_ACCESS, before *windows.ACL) error {
	acl, err := windows.ACLFromEntries(entries, before)
	if err == nil {
		err = windows.SetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, how, nil, nil, acl, nil)
	}
	if err != nil {
		return fmt.Errorf("access to %s: %w", name, err)
	}
	return nil
}
