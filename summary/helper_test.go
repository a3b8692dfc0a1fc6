package summary

import (
	"testing"

	"github.com/relaylens/relaylens"
)

// The milters of two servers have the same name at each, and are two problems.
func TestHelpersOfTwoServersStayApart(t *testing.T) {
	of := func(host string, events int) *Diagnosis {
		return &Diagnosis{Finding: relaylens.Finding{Cause: relaylens.CausePolicy, Fault: relaylens.FaultServer, Host: host, Events: events,
			Entity: relaylens.Entity{Kind: relaylens.EntityHelper, Value: "inet:localhost:8891"}}}
	}
	merged := MergeDiagnoses([][]*Diagnosis{{of("mx1", 3), of("mx2", 4)}, {of("mx1", 5)}})
	if len(merged) != 2 || merged[0].Host != "mx1" || merged[0].Events != 8 || merged[1].Host != "mx2" || merged[1].Events != 4 {
		t.Errorf("merged to %+v", merged)
	}
}
