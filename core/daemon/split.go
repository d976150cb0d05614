package daemon

import (
	"fmt"

	"drpd/core/letter"
)

// split spreads the files of a letter over several where one carries no more than some bytes of them; each says which part
// it is. A file that fits into none stays whole, and its message is for the route to refuse.
func split(l letter.Letter, room int64) []letter.Letter {
	var total int64
	for _, f := range l.Files {
		total += int64(len(f.Data))
	}
	if room <= 0 || total <= room {
		return []letter.Letter{l}
	}
	var groups [][]letter.File
	var size int64
	for _, f := range l.Files {
		if n := int64(len(f.Data)); len(groups) == 0 || size+n > room {
			groups, size = append(groups, []letter.File{f}), n
		} else {
			groups[len(groups)-1] = append(groups[len(groups)-1], f)
			size += n
		}
	}
	out := make([]letter.Letter, len(groups))
	for i, files := range groups {
		part := fmt.Sprintf("part %d of %d", i+1, len(groups))
		out[i] = letter.Letter{Subject: l.Subject + " (" + part + ")", Text: l.Text, HTML: l.HTML, Files: files}
		if i > 0 {
			says := "This is " + part + ". The letter came with the first part; this one carries more of its files."
			out[i].Text, out[i].HTML = says+"\n", "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>"+part+
				"</title></head><body><p>"+says+"</p></body></html>"
		}
	}
	return out
}
