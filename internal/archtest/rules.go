package archtest

// Module is the path all packages of the program begin with.
const Module = "github.com/relaylens/relaylens"

// Third-party modules, by the name the rules use for them.
const (
	cmp         = "github.com/google/go-cmp"
	cobra       = "github.com/spf13/cobra"
	compress    = "github.com/klauspost/compress"
	fsnotify    = "github.com/fsnotify/fsnotify"
	hyperloglog = "github.com/axiomhq/hyperloglog"
	natsClient  = "github.com/nats-io/nats.go"
	mapstruct   = "github.com/go-viper/mapstructure"
	nxtail      = "github.com/nxadm/tail"
	pflag       = "github.com/spf13/pflag"
	prometheus  = "github.com/prometheus/client_golang"
	sqlite      = "zombiezen.com/go/sqlite"
	protobuf    = "google.golang.org/protobuf"
	promCommon  = "github.com/prometheus/common"
	alertmgr    = "github.com/prometheus/alertmanager"
	openAPI     = "github.com/go-openapi/strfmt"
	systemd     = "github.com/coreos/go-systemd"
	viper       = "github.com/spf13/viper"
	webToolkit  = "github.com/prometheus/exporter-toolkit"
	xSync       = "golang.org/x/sync"
	xSys        = "golang.org/x/sys"
	xTerm       = "golang.org/x/term"
	xText       = "golang.org/x/text"
	xz          = "github.com/ulikunitz/xz"
	yaml        = "go.yaml.in/yaml"
	zap         = "go.uber.org/zap"
)

// Rule says what a package may import beside the standard library. What is not
// listed is forbidden, so a library lives in one package because one rule names it.
type Rule struct {
	// Package is a path below the module, "" for its root. A final * stands for
	// one more path element; the first rule that fits a package counts.
	Package string
	Rooms   []string // packages of the program, in the form of Package; the root needs no mention
	Modules []string // third-party modules
	// Pure packages are functions of what they are given: no clock, no files,
	// no network, no processes.
	Pure bool
}

// Rules is the map of the house.
var Rules = []Rule{
	{Package: "", Rooms: []string{"internal/swar"}, Pure: true},
	{Package: "config", Modules: []string{viper, mapstruct, pflag, yaml, promCommon}},
	{Package: "tailer", Rooms: []string{"internal/jsonscan", "internal/sleep"}, Modules: []string{nxtail, fsnotify, compress, xz, zap, prometheus, xSync, xSys}},

	{Package: "parsers/syslog", Rooms: []string{"internal/jsonscan", "internal/swar"}, Pure: true},
	{Package: "parsers/smtp", Rooms: []string{"internal/swar"}, Pure: true},
	{Package: "parsers/parsertest", Rooms: []string{"parsers/*"}, Modules: []string{cmp}},
	{Package: "parsers/*", Rooms: []string{"parsers/smtp", "internal/swar"}, Pure: true},
	{Package: "parsers", Rooms: []string{"parsers/*", "internal/bounded"}, Pure: true},
	{Package: "classifier", Rooms: []string{"internal/bounded", "internal/packed"}, Pure: true},
	{Package: "classifier/knowledge", Modules: []string{yaml}, Pure: true},

	{Package: "store", Modules: []string{sqlite}},
	{Package: "summary", Rooms: []string{"classifier/knowledge", "internal/aggregate", "internal/bounded"}, Modules: []string{xText}},
	{Package: "exporter/prom", Rooms: []string{"internal/aggregate"}, Modules: []string{prometheus}},
	{Package: "exporter/nats", Rooms: []string{"internal/sleep"}, Modules: []string{natsClient, compress, protobuf, prometheus, zap}},
	{Package: "exporter/alertmanager", Rooms: []string{"classifier/knowledge"}, Modules: []string{alertmgr, openAPI, promCommon, prometheus, zap}},
	{Package: "exporter/*", Rooms: []string{"internal/aggregate"}, Modules: []string{prometheus, zap}},
	{Package: "internal/aggregate", Rooms: []string{"internal/bounded"}, Modules: []string{hyperloglog}, Pure: true},
	{Package: "internal/bounded", Rooms: []string{"internal/swar"}, Pure: true},
	{Package: "internal/packed", Pure: true},
	{Package: "internal/jsonscan", Pure: true},
	{Package: "internal/swar", Pure: true},
	{Package: "internal/sleep"},
	{Package: "internal/alerting", Rooms: []string{"internal/aggregate", "internal/spike"}, Pure: true},
	{Package: "internal/watch", Rooms: []string{"classifier", "internal/alerting", "internal/bounded", "internal/spike"}, Pure: true},
	{Package: "internal/spike", Rooms: []string{"internal/bounded", "internal/aggregate"}, Pure: true},
	{Package: "internal/spike/simulate"},

	{Package: "internal/timespec", Pure: true},
	{Package: "internal/doctor", Rooms: []string{"classifier/knowledge"}, Pure: true},
	{Package: "internal/doctor/live", Rooms: []string{"internal/doctor"}},
	{Package: "internal/doctor/probe", Rooms: []string{"classifier/knowledge"}},
	{Package: "internal/resident", Modules: []string{xSys}},
	{Package: "internal/spool", Rooms: []string{"internal/packed"}},
	{Package: "internal/pager"},
	{Package: "internal/peers", Rooms: []string{"summary"}},

	{Package: "internal/ask", Rooms: []string{"parsers", "parsers/syslog", "tailer", "classifier", "classifier/knowledge", "store", "summary", "internal/resident", "internal/spool"}},
	{Package: "internal/api", Rooms: []string{"store", "summary", "internal/ask", "internal/timespec"}},

	// Only these two know every room.
	{Package: "internal/app", Rooms: append([]string{"internal/api", "internal/sleep"}, rooms...), Modules: []string{zap, prometheus, webToolkit, systemd, xSync}},
	{Package: "cmd/relaylens", Rooms: append([]string{"internal/app", "internal/ask", "internal/doctor", "internal/doctor/*", "internal/timespec", "internal/pager", "internal/peers", "internal/resident"}, rooms...),
		Modules: []string{cobra, pflag, zap, xTerm}},

	// Nothing of these is in the program.
	{Package: "internal/archtest"},
	{Package: "internal/demo"},
	{Package: "internal/sample", Rooms: []string{"internal/demo", "internal/sleep"}},
	{Package: "internal/fleet", Rooms: []string{"internal/demo", "internal/sleep"}},
	{Package: "internal/generate"},
	{Package: "internal/bench"},
	{Package: "internal/testutil", Modules: []string{xSys}},
	{Package: "internal/stack", Rooms: []string{"internal/demo"}},
	{Package: "internal/stack/show", Rooms: []string{"internal/demo", "internal/stack"}},
	{Package: "dashboards"},
	{Package: "e2e/alerting", Rooms: []string{"internal/stack"}},
	{Package: "e2e/fleet", Rooms: []string{"store", "internal/stack"}, Modules: []string{xSys}},
	{Package: "e2e", Rooms: []string{"classifier/knowledge"}, Modules: []string{xSys}},
	{Package: "e2e/*", Rooms: []string{"store"}, Modules: []string{xSys}},
}

var rooms = []string{"config", "tailer", "parsers", "parsers/*", "classifier", "classifier/knowledge", "store", "summary", "exporter/*", "internal/aggregate", "internal/spike", "internal/alerting", "internal/watch"}

// impure are the packages of the standard library through which a function
// learns or does more than its arguments say.
var impure = []string{"database/sql", "math/rand", "math/rand/v2", "net", "net/http", "os", "os/exec", "os/signal", "path/filepath", "syscall"}
