package apart_test

import (
	"os"
	"strings"
	"testing"

	"drpd/adapters/apart"
)

// BenchmarkRead: a message with a form of Word, read here and apart.
func BenchmarkRead(b *testing.B) {
	form, err := os.ReadFile("../../testdata/forms/westmarsh.docx")
	if err != nil {
		b.Fatal(err)
	}
	message := with("form.docx", form)
	text := []byte(head + "\r\n" + strings.Repeat("UEsDBBQABgAIAAAAIQDfpNJsWgEAACAFAAATAAgCW0NvbnRlbnRfVHlwZXNdLnhtbCCiBAIooAAC\r\n", 400))
	b.Run("text", func(b *testing.B) {
		r := reader(apart.Settings{TrustedServer: "mx.council.example"}, nil)
		for b.Loop() {
			r.Read(text)
		}
	})
	b.Run("here", func(b *testing.B) {
		r := reader(apart.Settings{TrustedServer: "mx.council.example"}, nil)
		for b.Loop() {
			r.Read(message)
		}
	})
	b.Run("apart", func(b *testing.B) {
		o := start(b)
		for b.Loop() {
			if _, err := o.Read(b.Context(), message); err != nil {
				b.Fatal(err)
			}
		}
	})
}
