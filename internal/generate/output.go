package main

import (
	"bufio"
	"time"
)

// output puts the time before each line.
type output struct {
	w              *bufio.Writer
	stamps         string
	lines, written int64
	last           int64 // time of the last line
	second         int64 // that stamp and native are of, plus 1
	stamp          []byte
	native         []byte
	err            error
}

// line writes one; prefix of its bytes stand before the time that Exim writes
// into what it hands to syslog.
func (o *output) line(at int64, text []byte, prefix int) {
	if second := at/1e6 + 1; second != o.second {
		o.second = second
		o.format(epoch.Add(time.Duration(at/1e6) * time.Second))
	}
	o.last = at
	o.lines++
	switch o.stamps {
	case "rfc3339":
		micros := [...]byte{0, 0, 0, 0, 0, 0}
		for i, n := 5, at%1e6; i >= 0; i, n = i-1, n/10 {
			micros[i] = '0' + byte(n%10)
		}
		copy(o.stamp[len("2006-01-02T15:04:05."):], micros[:])
		o.put(o.stamp)
	case "rfc3164":
		o.put(o.stamp)
	}
	o.put(text[:prefix])
	if prefix > 0 || o.stamps == "native" {
		o.put(o.native)
	}
	o.put(text[prefix:])
}

func (o *output) format(t time.Time) {
	if o.stamps == "rfc3339" {
		o.stamp = t.AppendFormat(o.stamp[:0], "2006-01-02T15:04:05.000000-07:00 ")
	} else {
		o.stamp = t.AppendFormat(o.stamp[:0], time.Stamp+" ")
	}
	o.native = t.AppendFormat(o.native[:0], "2006-01-02 15:04:05 ")
}

func (o *output) put(b []byte) {
	n, err := o.w.Write(b)
	o.written += int64(n)
	if err != nil {
		o.err = err
	}
}
