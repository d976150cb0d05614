package apart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"drpd/core/drp"
	"drpd/mapping"
)

// letter is a reading on its way: a problem of a message is a sentence and where it stands, and nothing of it is private.
type letter struct {
	mapping.Letter
	Problems []problem
}

type problem struct{ What, Position string }

func encode(l mapping.Letter) ([]byte, error) {
	out := letter{Letter: l}
	for _, p := range l.Problems {
		out.Problems = append(out.Problems, problem{p.What, p.Position})
	}
	return json.Marshal(out)
}

// What a digest and the ending of a file's name can be: both become part of a name.
var (
	digests = regexp.MustCompile(`^[0-9a-f]{16}$`)
	endings = regexp.MustCompile(`^(\.[a-z]{1,8})?$`)
)

// errRubbish says that what a reader said is no reading.
var errRubbish = errors.New("it said what is no reading")

// decode takes what a reader says of a message, if it is that and nothing else.
func decode(data []byte) (mapping.Letter, error) {
	if bytes.Count(data, []byte("{")) > maxParts {
		return mapping.Letter{}, errTooMuch
	}
	var in letter
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.InputOffset() != int64(len(data)) {
		return mapping.Letter{}, errRubbish
	}
	l := in.Letter
	for _, p := range in.Problems {
		l.Problems = append(l.Problems, drp.Doubt{What: p.What, Position: p.Position})
	}
	forms := l.Sheets
	if l.Body != nil {
		forms = append(forms[:len(forms):len(forms)], *l.Body)
	}
	for _, s := range forms {
		if !digests.MatchString(s.Digest) || !endings.MatchString(s.Ext) {
			return mapping.Letter{}, fmt.Errorf("%w: a file has no digest, or a name that cannot be", errRubbish)
		}
	}
	if l.Trusted && !strings.Contains(l.From, "@") {
		return mapping.Letter{}, fmt.Errorf("%w: it vouches for nobody", errRubbish)
	}
	return l, nil
}
