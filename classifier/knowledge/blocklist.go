package knowledge

import "strings"

type blocklists struct {
	Dead []Dead      `yaml:"dead"`
	Ask  []Blocklist `yaml:"ask"`
}

// Dead is a DNS blocklist that is no more.
type Dead struct {
	Zone  string `yaml:"zone"`  // names below it are meant as well
	Since string `yaml:"since"` // the month in which it ended, "2006-12"
	Means string `yaml:"means"` // what asking it does
}

// Blocklist is a DNS blocklist that can be asked for an address (RFC 5782).
type Blocklist struct {
	Zone    string            `yaml:"zone"`
	Answers map[string]string `yaml:"answers"` // what an address that it answers means
	Errors  map[string]string `yaml:"errors"`  // answers that are no listing
	Removal string            `yaml:"removal"` // how an address gets off it
}

// DeadBlocklist says what is known of a zone that is no more.
func DeadBlocklist(zone string) (Dead, bool) {
	zone = strings.ToLower(strings.TrimSuffix(zone, "."))
	for _, d := range load().Blocklists.Dead {
		if zone == d.Zone || strings.HasSuffix(zone, "."+d.Zone) {
			return d, true
		}
	}
	return Dead{}, false
}

// Blocklists are those that are worth asking. The slice is shared.
func Blocklists() []Blocklist { return load().Blocklists.Ask }
