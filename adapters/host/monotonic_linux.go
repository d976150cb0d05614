package host

import "golang.org/x/sys/unix"

// Monotonic is the time since the machine was started, in microseconds, as a service manager wants it with RELOADING=1; 0: it is not known.
func Monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return t.Nano() / 1000
}
