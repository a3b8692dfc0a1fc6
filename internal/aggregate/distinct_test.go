package aggregate

import (
	"encoding/base64"
	"fmt"
	"math"
	"testing"
)

// What two counted of the same values counts once, and what each counted alone
// too, after it has travelled as text.
func TestDistinctMerges(t *testing.T) {
	for _, n := range []int{0, 1, 10, 1000, 50_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a, b := NewDistinct(), NewDistinct()
			for i := range n {
				a.Add(fmt.Sprint("value ", i))
				b.Add(fmt.Sprint("value ", i+n/2)) // the upper half of them is a's too
			}
			text, err := b.MarshalText()
			if err != nil || len(text) > maxDistinctText {
				t.Fatalf("%d bytes, %v", len(text), err)
			}
			var read Distinct
			if err := read.UnmarshalText(text); err != nil {
				t.Fatal(err)
			}
			alone := a.Estimate()
			sum := a.Clone()
			if err := sum.Merge(&read); err != nil {
				t.Fatal(err)
			}
			want := float64(n + n/2)
			if got := float64(sum.Estimate()); math.Abs(got-want) > 0.04*want {
				t.Errorf("%v values, want %v", got, want)
			}
			if a.Estimate() != alone {
				t.Error("the copy is not on its own")
			}
		})
	}
}

func FuzzDistinct(f *testing.F) {
	d := NewDistinct()
	for i := range 100 {
		d.Add(fmt.Sprint(i))
	}
	few, err := d.MarshalText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(few)
	for _, b := range []string{"", "\x02", "\x02\x0e\x00\x01", "\x02\x12\x00\x00\x00\x04\x00\x00", "\x01\x0e\x00\x00\x00\x00\x40\x00", "\x02\x0e\x00\x01\xff\xff\xff\xff"} {
		f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(b))))
	}
	f.Add([]byte("!"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Distinct
		if d.UnmarshalText(text) != nil {
			return
		}
		// What is understood can be used with those made here.
		sum := NewDistinct()
		if err := sum.Merge(&d); err != nil || sum.Estimate() < 0 {
			t.Errorf("%d values, %v", sum.Estimate(), err)
		}
	})
}
