package summary

import (
	"testing"
	"time"
)

// sound is a report that Check passes.
func sound() *Report {
	r := NewBuilder(Span{}, Span{}).Report(ReportOptions{Steps: 10, Location: time.UTC})
	r.Timeline.Buckets = []Bucket{{Events: 1}}
	return r
}

// What is summed must not be so large that the sum of many is negative.
func TestReportCheck(t *testing.T) {
	if err := sound().Check(); err != nil {
		t.Fatalf("a report of nothing: %v", err)
	}
	for name, set := range map[string]func(r *Report, n int64){
		"refusals":           func(r *Report, n int64) { r.Refusals = n },
		"before":             func(r *Report, n int64) { r.Before = &Before{Refusals: n} },
		"remote":             func(r *Report, n int64) { r.Remote.Refusals = n },
		"remote before":      func(r *Report, n int64) { r.Remote.Before = &n },
		"kind":               func(r *Report, n int64) { r.Kinds[0].Events = n },
		"kind before":        func(r *Report, n int64) { r.Kinds[0].Before = &n },
		"value":              func(r *Report, n int64) { r.Lists[0].Values = []Item{{Events: n}} },
		"value before":       func(r *Report, n int64) { r.Lists[0].Values = []Item{{Before: &n}} },
		"error of a value":   func(r *Report, n int64) { r.Remote.Servers.Values = []Item{{Error: n}} },
		"former value":       func(r *Report, n int64) { r.Lists[0].Former = map[string]int64{"": n} },
		"former bound":       func(r *Report, n int64) { r.Lists[0].FormerBound = n },
		"others":             func(r *Report, n int64) { r.Lists[0].Others = n },
		"bound":              func(r *Report, n int64) { r.Lists[0].Bound = n },
		"bucket":             func(r *Report, n int64) { r.Timeline.Buckets[0].Events = n },
		"bucket, denied":     func(r *Report, n int64) { r.Timeline.Buckets[0].RelayDenied = n },
		"bucket, unverified": func(r *Report, n int64) { r.Timeline.Buckets[0].SenderVerify = n },
		"bucket, failed":     func(r *Report, n int64) { r.Timeline.Buckets[0].AuthFailed = n },
		"bucket, rejected":   func(r *Report, n int64) { r.Timeline.Buckets[0].Rejected = n },
		"bucket, remote":     func(r *Report, n int64) { r.Timeline.Buckets[0].Remote = n },
		"findings":           func(r *Report, n int64) { r.FindingsTotal = int(n) },
		"finding":            func(r *Report, n int64) { r.Findings = make([]Problem, 1); r.Findings[0].Events = int(n) },
	} {
		t.Run(name, func(t *testing.T) {
			for n, good := range map[int64]bool{-1: false, 0: true, 1 << 40: true, 1<<40 + 1: false} {
				r := sound()
				if set(r, n); (r.Check() == nil) != good {
					t.Errorf("%d passes: %t", n, !good)
				}
			}
		})
	}
}

// As many servers as one would ask, each with the most that passes, have no
// negative sum.
func TestSumsDoNotOverflow(t *testing.T) {
	r := sound()
	r.Refusals = maxNumber
	for range maxValues {
		r.Lists[0].Values = append(r.Lists[0].Values, Item{Events: maxNumber})
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for i := range 500 {
		for _, v := range r.Lists[0].Values {
			if sum += v.Events; sum < 0 {
				t.Fatalf("the sum of %d servers is negative", i+1)
			}
		}
	}
}
