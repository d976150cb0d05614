package drp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const placeholder = "[private]"

// Private is text about a person: a name, an address, what somebody wrote. It prints, logs (slog prints or marshals) and
// marshals as a placeholder. Reveal gives the text; a test lists who calls it.
type Private struct{ text string }

// NewPrivate wraps text. It is a copy: a word of a message keeps no message in memory.
func NewPrivate(text string) Private { return Private{strings.Clone(text)} }

// kept is how much of what somebody wrote is kept in memory, in bytes. The whole stands in the evidence.
const kept = 16 << 10

// Opening wraps the beginning of what somebody wrote, more than people are ever shown of it: its lines without the blank ones.
func Opening(text string) Private {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if room := kept - b.Len(); len(line) > room {
			b.WriteString(strings.ToValidUTF8(line[:room], ""))
			break
		}
		b.WriteString(line)
	}
	return Private{b.String()}
}

// Reveal returns the text.
func (p Private) Reveal() string { return p.text }

// Empty says whether there is no text.
func (p Private) Empty() bool { return p.text == "" }

// Same says whether two hold the same text, but for the case of its letters.
func (p Private) Same(q Private) bool { return strings.EqualFold(p.text, q.text) }

// Is says whether the text is one of the words, but for the case of its letters and the spaces around it.
func (p Private) Is(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(strings.TrimSpace(p.text), w) })
}

// Digest tells one text from another, whatever the case of its letters, without giving it away; none for no text.
func (p Private) Digest() string {
	if p.text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.ToLower(p.text)))
	return hex.EncodeToString(sum[:])[:16]
}

// At says whether the text is an address of a mail domain, or of one below it.
func (p Private) At(domain string) bool {
	_, host, ok := strings.Cut(strings.ToLower(p.text), "@")
	domain = strings.ToLower(domain)
	return ok && (host == domain || strings.HasSuffix(host, "."+domain))
}

// domain says whether the text is an address of a mail domain, and not of one below it.
func (p Private) domain(domain string) bool {
	_, host, ok := strings.Cut(p.text, "@")
	return ok && strings.EqualFold(host, domain)
}

func (p Private) shown() string {
	if p.text == "" {
		return ""
	}
	return placeholder
}

// String gives the placeholder.
func (p Private) String() string { return p.shown() }

// Format gives the placeholder for every verb.
func (p Private) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(p.shown())) }

// MarshalJSON gives the placeholder.
func (p Private) MarshalJSON() ([]byte, error) { return json.Marshal(p.shown()) }

// Mentions returns the first of the words that the text holds, as whole words in any case, or "".
func (p Private) Mentions(words []string) string {
	text := " " + plainWords(p.text) + " "
	for _, w := range words {
		if own := plainWords(w); own != "" && strings.Contains(text, " "+own+" ") {
			return w
		}
	}
	return ""
}
