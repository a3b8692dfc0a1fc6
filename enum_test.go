package relaylens

import (
	"encoding"
	"fmt"
	"slices"
	"testing"
)

// closedList is what every enum of the package offers.
type closedList interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
}

func testEnum[T closedList](t *testing.T, all []T, parse func(string) (T, error)) {
	t.Helper()
	if len(all) == 0 {
		t.Fatal("the list is empty")
	}
	seen := map[string]bool{}
	for _, v := range all {
		name := v.String()
		if name == "" || seen[name] {
			t.Errorf("value %d: name %q is empty or taken", uint8(v), name)
		}
		seen[name] = true
		text, err := v.MarshalText()
		if err != nil || string(text) != name {
			t.Errorf("MarshalText of %s = %q, %v", name, text, err)
		}
		if back, err := parse(name); err != nil || back != v {
			t.Errorf("parse %q = %v, %v", name, back, err)
		}
	}
	if _, err := parse("no such name"); err == nil {
		t.Error("an unknown name parses")
	}
	if _, err := parse(""); err == nil {
		t.Error("the empty name parses")
	}
	if _, err := T(255).MarshalText(); err == nil {
		t.Error("a value outside the list marshals")
	}
}

func TestEnums(t *testing.T) {
	t.Run("kind", func(t *testing.T) { testEnum(t, Kinds(), ParseKind) })
	t.Run("reason", func(t *testing.T) { testEnum(t, Reasons(), ParseReason) })
	t.Run("cause", func(t *testing.T) { testEnum(t, Causes(), ParseCause) })
	t.Run("fault", func(t *testing.T) { testEnum(t, Faults(), ParseFault) })
	t.Run("stage", func(t *testing.T) { testEnum(t, Stages(), ParseStage) })
	t.Run("direction", func(t *testing.T) { testEnum(t, Directions(), ParseDirection) })
	t.Run("action", func(t *testing.T) { testEnum(t, Actions(), ParseAction) })
	t.Run("class", func(t *testing.T) { testEnum(t, Classes(), ParseClass) })
	t.Run("mta", func(t *testing.T) { testEnum(t, MTAs(), ParseMTA) })
	t.Run("fact", func(t *testing.T) { testEnum(t, facts.all(), facts.parse) })
	t.Run("position state", func(t *testing.T) { testEnum(t, positionStates.all(), ParsePositionState) })
	t.Run("verdict", func(t *testing.T) { testEnum(t, verdicts.all(), verdicts.parse) })
	t.Run("severity", func(t *testing.T) { testEnum(t, Severities(), severities.parse) })
	t.Run("status", func(t *testing.T) { testEnum(t, statuses.all(), statuses.parse) })
}

func TestReasonKind(t *testing.T) {
	for r, want := range map[Reason]Kind{
		ReasonNone: KindNone, ReasonDomainNotFound: KindSenderVerify, ReasonUnverified: KindSenderVerify,
		ReasonCredentials: KindAuthFailed, ReasonAuthPolicy: KindAuthFailed, ReasonDNSBL: KindRejected, ReasonOther: KindRejected,
	} {
		if got := r.Kind(); got != want {
			t.Errorf("%q.Kind() = %v, want %v", r, got, want)
		}
	}
	total := 0
	for _, k := range RefusalKinds() {
		if !slices.Contains(k.Reasons(), k.AnyReason()) {
			t.Errorf("%v has the reasons %v, and for want of them %v", k, k.Reasons(), k.AnyReason())
		}
		total += len(k.Reasons())
	}
	if want := len(Reasons()) + 1; total != want { // the one more is a relay denial's ReasonNone
		t.Errorf("the kinds have %d reasons together, want %d: one belongs to no kind or to two", total, want)
	}
	for _, k := range []Kind{KindAccepted, KindConnection, KindNone} {
		if len(k.Reasons()) != 0 {
			t.Errorf("%v is no refusal and has reasons", k)
		}
	}
}

func TestEveryCauseHasItsFault(t *testing.T) {
	for _, c := range Causes() {
		nobodys := c == CausePolicy || c == CauseUnknown
		if (c.Fault() == FaultNone) != nobodys {
			t.Errorf("fault of %v is %v", c, c.Fault())
		}
	}
}

func TestEntityKinds(t *testing.T) { testEnum(t, entityKinds.all(), ParseEntityKind) }
