package relaylens

// Stage is the point of the SMTP dialogue at which the command was answered.
// For outbound refusals it is the stage of the dialogue with the remote server.
type Stage uint8

const (
	StageNone    Stage = iota // the log does not tell
	StageConnect              // before any command: the greeting
	StageHelo                 // HELO, EHLO, STARTTLS
	StageAuth
	StageMail
	StageRcpt
	StageData // the DATA command itself
	StageEOD  // the end of the message: headers, content, size
	StageEtrn
	StageVrfy // VRFY and EXPN
)

var stages = enum[Stage]{"stage", []string{
	"", "connect", "helo", "auth", "mail", "rcpt", "data", "eod", "etrn", "vrfy",
}}

// Stages lists every stage.
func Stages() []Stage { return stages.all() }

// ParseStage is the inverse of String.
func ParseStage(s string) (Stage, error) { return stages.parse(s) }

func (s Stage) String() string { return stages.name(s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Stage) MarshalText() ([]byte, error) { return stages.text(s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Stage) UnmarshalText(b []byte) (err error) { *s, err = stages.parse(string(b)); return err }
