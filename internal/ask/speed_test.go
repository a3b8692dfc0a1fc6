package ask

import (
	"os"
	"testing"
	"time"

	"github.com/relaylens/relaylens/store"
)

// BenchmarkSummary asks the store in the directory RELAYLENS_STORE, such as the
// generator of the store's tests makes it.
func BenchmarkSummary(b *testing.B) {
	dir := os.Getenv("RELAYLENS_STORE")
	if dir == "" {
		b.Skip("RELAYLENS_STORE names no store")
	}
	for _, days := range []int{1, 7, 30} {
		b.Run((time.Duration(days) * 24 * time.Hour).String(), func(b *testing.B) {
			for b.Loop() {
				s, err := store.OpenReadOnly(b.Context(), dir)
				if err != nil {
					b.Fatal(err)
				}
				st, err := s.Stats(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				span := store.Span{Since: st.Newest.Add(-time.Duration(days) * 24 * time.Hour)}
				q, err := NewSummary(SummaryOptions{Span: span, Top: 5, Now: st.Newest, Location: time.UTC})
				if err != nil {
					b.Fatal(err)
				}
				if err := q.CountStore(b.Context(), s); err != nil {
					b.Fatal(err)
				}
				q.Report(30)
				s.Close()
			}
		})
	}
}
