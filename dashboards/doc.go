// Package dashboards is the Grafana dashboard, made by gen.go, and the files that
// provision it.
package dashboards

//go:generate go run gen.go panels.go
