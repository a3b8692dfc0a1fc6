package classifier

import "github.com/relaylens/relaylens"

// given reports whether a cause that came with an event stands. Whoever read the
// log knew the sessions, logins and messages of that server one by one, of which
// only counts came along. Where it could not tell, the whole fleet may.
func given(e *relaylens.Event) bool {
	return e.Given != relaylens.CauseNone && e.Given != relaylens.CauseUnknown
}
