package classifier

import "testing"

// One of a thing is not several.
func TestWordsOfOne(t *testing.T) {
	for want, got := range map[string]string{
		"1 stranger with foreign senders, 1 domain":               strangersAre(1, 1),
		"6 strangers with foreign senders, 2 domains":             strangersAre(6, 2),
		"one client tried 1 user in 7 attempts, without success":  attempts(1, 7),
		"one client made 1 attempt, without success":              attempts(0, 1),
		"one client tried 7 users in 8 attempts, without success": attempts(7, 8),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
