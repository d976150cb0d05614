//go:build unix

package host

import (
	"fmt"
	"log/syslog"
)

// SystemLog writes a word into the system's own log as an error: here syslog, as the daemon drpd.
func SystemLog(says string) error {
	log, err := syslog.New(syslog.LOG_ERR|syslog.LOG_DAEMON, "drpd")
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	defer func() { _ = log.Close() }()
	if err := log.Err(says); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return nil
}
