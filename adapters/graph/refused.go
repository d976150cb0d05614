package graph

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// refused reads an answer that is no success.
func (c *Client) refused(resp *http.Response, r call) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxFault)) // half an answer says less, and its status all the same
	f := readFault(body)
	f.status, f.who = resp.StatusCode, c.Who
	if id := plain(resp.Header.Get("request-id")); id != "" {
		f.request = id
	}
	f.means = c.meaning(f, r)
	if resp.StatusCode == http.StatusUnauthorized {
		c.Token.Forget()
	}
	if !slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable, statusBandwidth}, f.status) &&
		(f.status != http.StatusGatewayTimeout || r.alone) {
		return f
	}
	wait := retryAfter(resp.Header.Get("Retry-After"), c.now())
	c.mu.Lock()
	if until := c.now().Add(wait); f.status != http.StatusGatewayTimeout && until.After(c.until) {
		c.until = until
	}
	c.mu.Unlock()
	return &busy{what: f.Error(), wait: wait, of: f}
}

const (
	statusBandwidth = 509
	mostWait        = time.Hour // that is believed
)

// retryAfter is how long the service wants no call, in seconds or until a time (RFC 9110, section 10.2.3).
func retryAfter(said string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(strings.TrimSpace(said), 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, mostWait)
	}
	if at, err := http.ParseTime(said); err == nil {
		return min(max(0, at.Sub(now)), mostWait)
	}
	return shortWait
}

// meaning is what a refusal means for whoever must act.
func (c *Client) meaning(f *fault, r call) string {
	switch {
	case f.status == http.StatusUnauthorized:
		return "the token was refused: is oauth's scope " + Scope + " (left out, it is), and url the service of the same cloud as token_url?"
	case f.is("ErrorSendAsDenied"):
		return "the mailbox may not send as the address of mailbox.address: give the mailbox that has this address under graph"
	case f.status == http.StatusForbidden:
		return "the application may not do this with this mailbox: give it the role \"" + r.role + "\" in Exchange Online by RBAC for Applications " +
			"(New-ManagementRoleAssignment -App ... -Role \"" + r.role + "\" -CustomResourceScope ...), with a management scope that holds this " +
			"mailbox alone, and no permission for all mailboxes in Entra; Test-ServicePrincipalAuthorization shows what it has, and Microsoft " +
			"takes up to two hours to follow"
	case f.is("ErrorInvalidUser", "MailboxNotEnabledForRESTAPI", "ResourceNotFound", "Request_ResourceNotFound", "ErrorNonExistentMailbox"):
		return "there is no such mailbox in Exchange Online: is graph.mailbox its own address?"
	case f.status == http.StatusTooManyRequests || f.status == statusBandwidth:
		return "Microsoft Graph has had too many calls, and wants none for a while"
	case f.status >= http.StatusInternalServerError:
		return "Microsoft Graph does not work for now"
	}
	return "Microsoft Graph refuses it"
}
