package document_test

import (
	"strings"
	"testing"
	"time"

	"drpd/adapters/document"
)

func TestWords(t *testing.T) {
	for page, want := range map[string]string{
		"<div>Resolved: yes</div><div>Reason: agreed</div>":                                "Resolved: yes\nReason: agreed",
		"<p>one<p>two <b>and</b>\n three</p>":                                              "one\ntwo and three",
		"a<br><br>b":                                                                       "a\n\nb",
		"foo<div>bar</div>baz":                                                             "foo\nbar\nbaz",
		"<table><tr><td>Resolved</td><td>yes</td></tr><tr><td>x</table>":                   "Resolved yes\nx",
		`see <a href="https://x.example/a">the form</a>.`:                                  "see the form <https://x.example/a>.",
		`<a href="https://x.example/">https://x.example</a>`:                               "https://x.example",
		`<a href="mailto:a@x.example">Ann</a>`:                                             "Ann",
		"yes<blockquote>no<p>never</blockquote>now":                                        "yes\n> no\n> never\nnow",
		`yes<div class="gmail_quote">On 1 March A wrote:<blockquote>no</blockquote></div>`: "yes\n> On 1 March A wrote:\n> no",
		`a<span style="Display: None">b</span>c`:                                           "ac",
		"<p style='display:none'>a<p>b":                                                    "b",
		"<p hidden>a<div>b</div>":                                                          "b",
		"<ul><li hidden>a<li>b</ul>":                                                       "b",
		"<td hidden>a<td>b":                                                                "b",
		"<s>no</s> yes <del>no</del>":                                                      "yes",
		"<title>t</title><style>p {}</style><script>x</script>yes":                         "yes",
		"<pre>one\n  two</pre>three":                                                       "one\ntwo\nthree",
		`<input type=checkbox checked>Yes <input type=checkbox>No`:                         "☒ Yes ☐ No",
		"<select><option>a<option selected>b</select>":                                     "b",
		"<!-- no -->yes<![if !mso]><o:p>&nbsp;</o:p> now":                                  "yes now",
		"no end <b": "no end",
		"":          "",
	} {
		if got := document.Words([]byte(page)); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", page, got, want)
		}
	}
}

// However deep a page is, and whatever ends in it, its words take no time to speak of.
func TestWordsOfBombs(t *testing.T) {
	for _, page := range []string{strings.Repeat("<div>", 1<<18), strings.Repeat("<b>", 1<<16) + strings.Repeat("</i>", 1<<18),
		strings.Repeat("<a href=http://x>", 1<<16) + strings.Repeat("x ", 1<<18), strings.Repeat("<p hidden>", 1<<17)} {
		before := time.Now()
		document.Words([]byte(page))
		if took := time.Since(before); took > 5*time.Second {
			t.Errorf("%.20s took %s", page, took)
		}
	}
}
