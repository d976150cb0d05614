package host

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// Notify tells the service manager that started this process how it is, in lines as systemd's sd_notify(3) has them: READY=1, STATUS=.... Where
// none has asked to be told it does nothing.
func Notify(lines string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"}) // a name that begins with @ is not of the file system
	if err != nil {
		return fmt.Errorf("the service manager cannot be told: %w", err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(lines)); err != nil {
		return fmt.Errorf("the service manager cannot be told: %w", err)
	}
	return nil
}

// Watchdog is how long the service manager waits for a sign of life, WATCHDOG=1, before it ends this process; 0: it waits for none.
func Watchdog() time.Duration {
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if err != nil || us <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}
