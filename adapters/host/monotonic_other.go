//go:build !linux

package host

// Monotonic is the time since the machine was started, in microseconds, as a service manager wants it with RELOADING=1; 0: it is not known.
func Monotonic() int64 { return 0 }
