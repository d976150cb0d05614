package host

import "os"

// private leaves the access list of a file to the administrator.
func private(string, os.FileInfo) error { return nil }
