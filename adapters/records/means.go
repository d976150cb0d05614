package records

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// What an error means, for whoever must act.
const (
	refused    = "the login was refused: is its password right, and has it not expired?"
	noTable    = "there is no such table or view in this database, or this login may not see it"
	noDatabase = "there is no such database there, or this login may not open it: is its name right in the connection string?"
	noColumn   = "a column that the mapping names is not there: was it renamed?"
	noCall     = "there is no such function or procedure, or this login may not see it"
	noFunction = "there is no such function or procedure, or it takes other values than the mapping gives"
	otherwise  = "the procedure takes other arguments than the mapping names"
	noRight    = "this login may not do that: drpd check --online shows the grants that are missing"
	noQuery    = "the database does not understand a query of the mapping"
	deadlock   = "another transaction was in the way (deadlock); it is tried again"
	locked     = "somebody else holds a lock on it; it is tried again"
	noDisk     = "the server has run out of disk"
	noRoom     = "the server has run out of disk, memory or connections"
	ended      = "the server was shut down or ended the connection; it is tried again"
	twice      = "another row has the same key"
	ruled      = "a rule of the table forbids it"
	unfit      = "a value can be none of its column's type"
	noInsert   = "nothing can be inserted there: is it a view?"
)

const silent = "the record system does not answer: is it running, and are host, login and password right?"

// why says what an error of the driver means, after the server's own number; never in the driver's words, which may hold data.
func (s *System) why(err error) string {
	code, means := "", ""
	if s.dialect.Code != nil {
		code = s.dialect.Code(err)
	}
	if s.dialect.Means != nil {
		means = s.dialect.Means(err)
	}
	if code != "" && means != "" {
		return code + ": " + means
	}
	return code + means
}

// unanswered says why there is no connection.
func (s *System) unanswered(err error) error {
	if s.why(err) != "" {
		return s.fail(err, "the record system takes no connection")
	}
	if why := unreached(err); why != "" {
		return s.fail(err, "the record system cannot be reached: %s", why)
	}
	return s.fail(err, silent)
}

// unreached says why no server answered, as far as the error tells; "" where it does not.
func unreached(err error) string {
	var (
		unknown   x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		doubtful  *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		lookup    *net.DNSError
		transport net.Error
		number    syscall.Errno
	)
	const refusedWindows = 10061
	switch {
	case errors.As(err, &unknown):
		return unknownAuthority
	case errors.As(err, &name):
		return otherName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return expired
	case errors.As(err, &invalid), errors.As(err, &doubtful):
		return badCertificate
	case errors.As(err, &record), errors.Is(err, mysql.ErrNoTLS):
		return noTLS
	case errors.As(err, &alert):
		return brokenTLS
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "there is no host of that name"
	case errors.As(err, &lookup):
		return "the name of its host cannot be looked up: does this machine's DNS work?"
	case errors.As(err, &number) && (number == syscall.ECONNREFUSED || number == refusedWindows):
		return "nothing listens there (connection refused): is it running, and are host and port right?"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &transport) && transport.Timeout():
		return "no answer in time: are host and port right, and does a firewall let this machine through?"
	}
	for _, w := range onlyWords {
		if err != nil && strings.Contains(err.Error(), w.words) {
			return w.means
		}
	}
	return ""
}

const (
	unknownAuthority = "its certificate is of an authority that this machine does not trust: add the authority's own certificate to this machine's"
	otherName        = "its certificate is for another name than the connection string has: write the host as the certificate names it"
	expired          = "its certificate has expired, or is not valid yet: is this machine's clock right?"
	badCertificate   = "its certificate cannot be verified"
	noTLS            = "it speaks no TLS there: are host and port right, and is TLS switched on at the server?"
	brokenTLS        = "it broke off the TLS handshake: does it want another version, or a certificate of this machine's?"
)

// onlyWords are errors of which a driver keeps nothing but the words.
var onlyWords = []struct{ words, means string }{
	{"x509: certificate signed by unknown authority", unknownAuthority},
	{"x509: certificate is valid for ", otherName},
	{"x509: certificate has expired or is not yet valid", expired},
	{"x509: ", badCertificate},
	{"first record does not look like a TLS handshake", noTLS},
	{"server refused TLS connection", noTLS},
	{"server does not support encryption", noTLS},
	{"TLS Handshake failed", brokenTLS},
}

// noSuchColumn gives the column that the server does not find, where it is a name of the mapping's and no data.
func (s *System) noSuchColumn(err error) string {
	if s.dialect.Unknown == nil {
		return ""
	}
	name := s.dialect.Unknown(err)
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		name = name[at+1:]
	}
	name = strings.Trim(name, "\"'`[]")
	for _, n := range s.m.Relations() {
		names := append(words.FindAllString(n.Query, -1), n.Columns...)
		if i := slices.IndexFunc(names, func(own string) bool { return strings.EqualFold(own, name) }); i >= 0 {
			return names[i]
		}
	}
	return ""
}

var words = regexp.MustCompile(`[A-Za-z_]\w*`)

// between gives what of a text stands between two others.
func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	name, _, end := strings.Cut(rest, after)
	if !ok || !end {
		return ""
	}
	return name
}

// meaning looks a number up among the meanings of an engine's.
func meaning[N comparable](numbers map[string][]N, number N) string {
	for means, all := range numbers {
		if slices.Contains(all, number) {
			return means
		}
	}
	return ""
}
