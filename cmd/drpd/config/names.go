package config

import (
	"net"
	"net/mail"
	"strconv"
	"strings"

	"drpd/core/strict"
)

// server holds a server's name and port: host:port, as 587 is in relay.council.example:587.
func server(f *strict.File, at []any, name, port string) {
	if name == "" {
		return
	}
	host, number, err := net.SplitHostPort(name)
	n, bad := strconv.Atoi(number)
	if err != nil || bad != nil || n < 1 || n > 65535 || !isHost(host) {
		f.Fault(at, "%q is no server: write it as host:%s", name, port)
	}
}

// isHost says whether a name can be that of a machine, or is an address of one.
func isHost(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253 && strings.Trim(name, "0123456789.") != "" // 10.0.0.300 is neither
}

// address holds an email address: that alone, without a name beside it.
func address(f *strict.File, at []any, said string) {
	if said == "" {
		return
	}
	a, err := mail.ParseAddress(said)
	_, domain, _ := strings.Cut(said, "@")
	if err != nil || a.Address != said || !isHost(domain) || !strings.Contains(domain, ".") {
		f.Fault(at, "%q is no email address: write it as name@council.example", said)
	}
}
