package daemon_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"drpd/core/daemon"
	"drpd/core/letter"
	"drpd/core/port"
)

// lettersOf keeps the letters that are made.
type lettersOf struct {
	daemon.Mailer
	made []letter.Letter
}

func (l *lettersOf) Make(e port.Envelope, x letter.Letter) (port.Made, error) {
	l.made = append(l.made, x)
	return l.Mailer.Make(e, x)
}

// saying counts the letters that say something.
func (l *lettersOf) saying(what string) (n int) {
	for _, x := range l.made {
		if strings.Contains(x.Text, what) {
			n++
		}
	}
	return n
}

// anchoring is a world whose history is anchored, and to whom each anchor was handed.
type anchoring struct {
	*world
	letters      *lettersOf
	made, handed []string
	wrong        []string
	full, away   error
}

func anchored(t *testing.T) *anchoring {
	t.Helper()
	w, _ := calm(t)
	a := &anchoring{world: w, letters: &lettersOf{Mailer: w.d.Mail}}
	w.d.Mail = a.letters
	last := time.Time{}
	w.d.Anchor = func(_ context.Context, since, now time.Time) ([]byte, []string, error) {
		if a.full != nil {
			return nil, nil, a.full
		}
		wrong := a.wrong
		a.wrong = nil
		if last.Before(since) {
			last, a.made = now, append(a.made, now.Format("2 15:04"))
		}
		return []byte("anchor of " + last.Format("2 15:04")), wrong, nil
	}
	w.d.Witness = func(_ context.Context, note []byte) error {
		if a.away == nil {
			a.handed = append(a.handed, strings.TrimPrefix(string(note), "anchor of "))
		}
		return a.away
	}
	return a
}

// The history is anchored in the first cycle of each day, and anew where a report goes, which carries that anchor and says what it is for. The
// witness gets each once, those that it could not get as soon as it can be reached: the last says what the ones before it say.
func TestAnchors(t *testing.T) {
	w := anchored(t)
	w.at(16, 0) // a Monday: the report goes after 7
	w.at(16, 9)
	w.at(16, 10)
	w.away = errors.New("the share is not mounted")
	w.at(17, 9)
	w.at(18, 9)
	w.away = nil
	w.at(18, 10)
	w.at(18, 11)
	if want := []string{"16 00:30", "16 09:30", "17 09:30", "18 09:30"}; !slices.Equal(w.made, want) {
		t.Errorf("made %v, want %v", w.made, want)
	}
	if want := []string{"16 00:30", "16 09:30", "18 09:30"}; !slices.Equal(w.handed, want) {
		t.Errorf("handed %v, want %v", w.handed, want)
	}
	var carried []string
	for _, l := range w.letters.made {
		if i := slices.IndexFunc(l.Files, func(f letter.File) bool { return f.Name == "anchor.txt" }); i >= 0 {
			carried = append(carried, string(l.Files[i].Data))
			if l.Files[i].Type != "text/plain" || !strings.Contains(l.Text, "As long as somebody keeps it") ||
				!strings.Contains(l.HTML, "Please keep this message") || len(l.Files) != 2 {
				t.Errorf("%+v", l)
			}
		}
	}
	if want := []string{"anchor of 16 00:30", "anchor of 16 09:30"}; !slices.Equal(carried, want) { // the first is of the week before
		t.Errorf("reports carry %v, want %v", carried, want)
	}
	for _, wrong := range w.world.wrong {
		t.Error(wrong)
	}
}

// Where no anchor can be made the operator is told once a day, and all else goes on; so of a history that is not the one that was anchored.
func TestNoAnchor(t *testing.T) {
	w := anchored(t)
	w.full = errors.New("the disk is full")
	for day := 16; day <= 17; day++ {
		for hour := 9; hour <= 11; hour++ {
			w.at(day, hour)
		}
	}
	if n := w.letters.saying("No anchor of drpd's history could be made: the disk is full"); n != 2 {
		t.Errorf("the operator is told %d times in two days", n)
	}
	if len(w.handed) > 0 || w.count["sent: report"] == 0 && w.letters.saying("Overdue") == 0 {
		t.Errorf("handed %v; sent %v", w.handed, w.count)
	}
	w.full, w.world.d.Subscriptions = nil, nil
	w.wrong = []string{"its end was cut off"}
	w.at(18, 9)
	w.at(18, 10)
	if n := w.letters.saying("history was anchored, and does not hold: its end was cut off"); n != 1 {
		t.Errorf("the operator is told %d times", n)
	}
}

// A witness that never answers keeps nothing from being done, and is not asked again before it has.
func TestWitnessHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := anchored(t)
		var asked atomic.Int64
		until := make(chan struct{})
		w.d.Witness = func(context.Context, []byte) error {
			asked.Add(1)
			<-until
			return nil
		}
		began := time.Now()
		w.at(16, 9)
		w.at(16, 10)
		w.at(17, 9)
		if asked.Load() != 1 || time.Since(began) > 5*time.Minute || w.count["sent: alert"] == 0 {
			t.Errorf("asked %d times, %s, sent %v", asked.Load(), time.Since(began), w.count)
		}
		close(until)
		synctest.Wait()
		w.at(17, 10)
		if asked.Load() != 2 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}
