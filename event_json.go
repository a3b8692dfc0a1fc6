package relaylens

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// eventJSON is the JSON form of an event as it is read.
type eventJSON struct {
	ID         ID        `json:"id"`
	Time       string    `json:"time"`
	Host       string    `json:"host"`
	MTA        MTA       `json:"mta"`
	Service    string    `json:"service"`
	PID        int32     `json:"pid"`
	QueueID    string    `json:"queue_id"`
	Kind       Kind      `json:"kind"`
	Direction  Direction `json:"direction"`
	Stage      Stage     `json:"stage"`
	Reason     Reason    `json:"reason"`
	Cause      Cause     `json:"cause"`
	Action     Action    `json:"action"`
	ClientIP   string    `json:"client_ip"`
	ClientName string    `json:"client_name"`
	ClientPort uint16    `json:"client_port"`
	Helo       string    `json:"helo"`
	Proto      string    `json:"proto"`
	User       string    `json:"user"`
	AuthMethod string    `json:"auth_method"`
	Sender     *string   `json:"sender"`
	Recipient  string    `json:"recipient"`
	Code       uint16    `json:"code"`
	Class      Class     `json:"class"`
	Enhanced   string    `json:"enhanced"`
	Text       string    `json:"text"`
	RemoteHost string    `json:"remote_host"`
	RemoteIP   string    `json:"remote_ip"`
	Source     string    `json:"source"`
	Line       int64     `json:"line"`
	Offset     int64     `json:"offset"`
	Raw        string    `json:"raw"`
}

// UnmarshalJSON implements [encoding/json.Unmarshaler]. Fields that this version
// does not know are passed over, words that it does not know are an error.
func (e *Event) UnmarshalJSON(b []byte) error {
	var j eventJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	*e = Event{ID: j.ID, Host: j.Host, MTA: j.MTA, Service: j.Service, PID: j.PID, QueueID: j.QueueID,
		Kind: j.Kind, Direction: j.Direction, Stage: j.Stage, Reason: j.Reason, Cause: j.Cause, Action: j.Action,
		ClientName: j.ClientName, ClientPort: j.ClientPort, Helo: j.Helo, Proto: j.Proto, User: j.User, AuthMethod: j.AuthMethod,
		Recipient: j.Recipient, Code: j.Code, Enhanced: j.Enhanced, Text: j.Text, RemoteHost: j.RemoteHost,
		Source: j.Source, Line: j.Line, Offset: j.Offset, Raw: j.Raw}
	if j.Sender != nil {
		e.SetSender(*j.Sender)
	}
	if j.Code == 0 {
		e.Class = j.Class
	}
	var err error
	if j.Time != "" {
		if e.Time, err = time.Parse(time.RFC3339, j.Time); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		e.TimeDigits = digits(j.Time)
	}
	for _, a := range []struct {
		text   string
		target *netip.Addr
	}{{j.ClientIP, &e.ClientIP}, {j.RemoteIP, &e.RemoteIP}} {
		if a.text == "" {
			continue
		}
		if *a.target, err = netip.ParseAddr(a.text); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
	}
	return nil
}

// digits is how many decimals of a second a stamp has.
func digits(stamp string) uint8 {
	_, fraction, ok := strings.Cut(stamp, ".")
	if !ok {
		return 0
	}
	n := 0
	for n < len(fraction) && '0' <= fraction[n] && fraction[n] <= '9' {
		n++
	}
	return uint8(min(n, 9))
}
