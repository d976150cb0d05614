package records

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// mostTypes is how many types of forms a table may have to be looked through for new ones: a column with more names no types.
const mostTypes = 300

// newTypes looks once a day which types of forms there are, and says which came since the day before that the mapping does not name: forms of
// a next version of the dispute form would else never be read, and nobody would know why. It gives the types that there are now.
func (p *poll) newTypes(before []string) (now []string, err error) {
	n := p.m.FormRelation()
	query := "SELECT DISTINCT q." + p.m.Forms.Type + " FROM " + from(n.Relation, "q")
	rows, err := p.tx.QueryxContext(p.ctx, sqlx.Rebind(p.dialect.Bind, query)) //nolint:sqlclosecheck // closed by each
	if err == nil {
		err = p.each(n, rows, func(text func(int) string) {
			if kind := strings.TrimSpace(text(0)); kind != "" && len(now) <= mostTypes {
				now = append(now, kind)
			}
		})
	}
	if err != nil {
		return nil, p.unreadable(err, n)
	}
	p.typed = nil
	if len(now) > mostTypes {
		return nil, nil
	}
	slices.Sort(now)
	var came []string
	for _, kind := range now {
		if len(before) > 0 && !slices.Contains(before, kind) && p.m.Forms.Types[kind] == "" {
			came = append(came, kind)
		}
	}
	if len(came) > 0 {
		p.typed = []string{fmt.Sprintf("%s has forms of the type %s since yesterday, which the mapping does not name, so that they are not read: "+
			"are they a new version of the dispute form? Then put it under forms.types", n.Title(), quoted(came, 5))}
	}
	return now, nil
}
