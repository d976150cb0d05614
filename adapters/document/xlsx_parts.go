package document

import (
	"encoding/xml"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// open reads what all sheets share, and gives the part of each sheet, "" of one that is not shown or holds no cells.
func (b *book) open() ([]string, error) {
	type target struct{ kind, name string }
	targets := make(map[string]target)
	var words, styles string
	dir, file := path.Split(b.main)
	err := b.each(dir+"_rels/"+file+".rels", func(_ *walker, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		if len(targets) > maxFiles {
			return errDamaged
		}
		t := target{kind: path.Base(attr(e, "Type")), name: path.Join("/", dir, attr(e, "Target"))[1:]}
		if to := attr(e, "Target"); strings.HasPrefix(to, "/") {
			t.name = path.Clean(to)[1:]
		}
		targets[attr(e, "Id")] = t
		switch t.kind {
		case "sharedStrings":
			words = t.name
		case "styles":
			styles = t.name
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var sheets []string
	err = b.each(b.main, func(_ *walker, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			b.epoch = set(e, "date1904")
		case "sheet":
			if len(sheets) > maxFiles {
				return errDamaged
			}
			t, known := targets[attr(e, "id")]
			state := attr(e, "state")
			switch {
			case state != "" && state != "visible", known && t.kind != "worksheet":
				t.name = ""
			case !known:
				return errDamaged
			}
			sheets = append(sheets, t.name)
		}
		return nil
	})
	if err == nil && words != "" && b.files[words] != nil {
		err = b.sharedTexts(words)
	}
	if err == nil && styles != "" && b.files[styles] != nil {
		err = b.sharedLooks(styles)
	}
	b.looked = 0
	return sheets, err
}

// sharedTexts reads the texts that cells name by their number.
func (b *book) sharedTexts(name string) error {
	return b.each(name, func(w *walker, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		if err := b.another("texts"); err != nil {
			return err
		}
		held, err := richText(w)
		b.texts = append(b.texts, held)
		return err
	})
}

// richText reads a text with its runs, without those that are struck out and without how it sounds.
func richText(w *walker) (rich, error) {
	var out strings.Builder
	styled := false
	err := w.elements(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "t":
			text, err := w.chars()
			out.WriteString(text)
			return err
		case "r":
			text, struck := "", false
			err := w.elements(func(e xml.StartElement) (err error) {
				switch e.Name.Local {
				case "rPr":
					styled = true
					return w.elements(func(e xml.StartElement) error {
						struck = struck || e.Name.Local == "strike" && on(attr(e, "val"))
						return w.skip()
					})
				case "t":
					text, err = w.chars()
					return err
				}
				return w.skip()
			})
			if !struck {
				out.WriteString(text)
			}
			return err
		}
		return w.skip()
	})
	return rich{unescaped(out.String()), styled}, err
}

// escape is how a text holds a character that XML cannot.
var escape = regexp.MustCompile(`_x[0-9a-fA-F]{4}_`)

func unescaped(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		code, _ := strconv.ParseUint(e[2:6], 16, 16)
		return string(rune(code))
	})
}

// sharedLooks reads the styles that cells name by their number.
func (b *book) sharedLooks(name string) error {
	formats, struck := make(map[string]string), []bool(nil)
	type style struct{ format, font string }
	var styles []style
	err := b.each(name, func(w *walker, e xml.StartElement) error {
		container := e.Name.Local
		if container != "numFmts" && container != "fonts" && container != "cellXfs" {
			return nil
		}
		return w.elements(func(e xml.StartElement) error {
			if err := b.another("styles"); err != nil {
				return err
			}
			switch container {
			case "numFmts":
				formats[attr(e, "numFmtId")] = attr(e, "formatCode")
			case "cellXfs":
				styles = append(styles, style{attr(e, "numFmtId"), attr(e, "fontId")})
			case "fonts":
				struck = append(struck, false)
				return w.elements(func(e xml.StartElement) error {
					if e.Name.Local == "strike" {
						struck[len(struck)-1] = on(attr(e, "val"))
					}
					return w.skip()
				})
			}
			return w.skip()
		})
	})
	for _, s := range styles {
		font, err := strconv.Atoi(s.font)
		code, own := formats[s.format]
		out := err == nil && font >= 0 && font < len(struck) && struck[font]
		b.looks = append(b.looks, look{date: showsDate(s.format, code, own), struck: out})
	}
	return err
}

// saidAsIs finds what a number format shows as it is, and its colours, conditions and languages: no sign of a day or a month.
var saidAsIs = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.|\[[^\]]*\]`)

// showsDate says whether a number format shows a date.
func showsDate(id, code string, own bool) bool {
	if own {
		format := strings.ToLower(saidAsIs.ReplaceAllString(code, ""))
		return strings.Contains(format, "d") && strings.Contains(format, "m") || strings.Contains(format, "yy")
	}
	n, err := strconv.Atoi(id)
	return err == nil && (n >= 14 && n <= 17 || n == 22 || n >= 27 && n <= 36 || n >= 50 && n <= 58)
}
