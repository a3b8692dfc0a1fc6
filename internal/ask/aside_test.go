package ask

import (
	"fmt"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func TestAsideKeepsOrder(t *testing.T) {
	for _, n := range []int{0, 1, portionSize - 1, portionSize, portionSize + 1, 10*portionSize + 7} {
		var got []string
		a := newAside(func(e *relaylens.Event) { got = append(got, strings.Clone(e.Sender)) })
		memory := make([]byte, 0, 16)
		for i := range n {
			memory = fmt.Append(memory[:0], i)
			a.add(&relaylens.Event{Sender: string(memory)})
		}
		a.close()
		if len(got) != n {
			t.Fatalf("%d events came of %d", len(got), n)
		}
		for i, sender := range got {
			if sender != fmt.Sprint(i) {
				t.Fatalf("event %d of %d is %s", i, n, sender)
			}
		}
	}
}
