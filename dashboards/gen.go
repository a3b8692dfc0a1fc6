//go:build ignore

// Command gen writes relaylens.json.
package main

import (
	"encoding/json"
	"log"
	"os"
)

// object is a JSON object; encoding/json sorts its keys, so the file is stable.
type object map[string]any

type list []any

var datasource = object{"type": "prometheus", "uid": "${datasource}"}

// board collects panels, left to right and top to bottom on Grafana's grid of 24
// columns.
type board struct {
	panels  list
	x, y, h int
}

func (b *board) add(w, h int, panel object) {
	if b.x+w > 24 {
		b.x, b.y = 0, b.y+b.h
		b.h = 0
	}
	panel["id"] = len(b.panels) + 1
	panel["gridPos"] = object{"x": b.x, "y": b.y, "w": w, "h": h}
	b.x, b.h = b.x+w, max(b.h, h)
	b.panels = append(b.panels, panel)
}

func (b *board) row(title string) {
	b.x, b.y, b.h = 0, b.y+b.h, 0
	b.add(24, 1, object{"type": "row", "title": title, "collapsed": false, "panels": list{}})
}

// query is one PromQL expression of a panel, and how its series are called.
type query struct{ expr, legend string }

func targets(instant bool, queries []query) (ts list) {
	for i, q := range queries {
		t := object{"refId": string(rune('A' + i)), "datasource": datasource, "expr": q.expr, "legendFormat": q.legend, "editorMode": "code"}
		if instant {
			t["instant"], t["range"], t["format"] = true, false, "table"
		} else {
			t["range"] = true
		}
		ts = append(ts, t)
	}
	return ts
}

func panel(kind, title, text, unit string, queries []query) object {
	return object{
		"type": kind, "title": title, "description": text, "datasource": datasource,
		"targets":     targets(kind == "table", queries),
		"fieldConfig": object{"defaults": object{"unit": unit, "min": 0}, "overrides": list{}},
		"options":     object{},
	}
}

// stat is one number; from warn on it is orange, from bad on red.
func stat(title, text, unit string, warn, bad float64, q query) object {
	p := panel("stat", title, text, unit, []query{q})
	steps := list{object{"color": "green", "value": nil}}
	if warn > 0 {
		steps = append(steps, object{"color": "orange", "value": warn})
	}
	if bad > 0 {
		steps = append(steps, object{"color": "red", "value": bad})
	}
	p["fieldConfig"].(object)["defaults"].(object)["thresholds"] = object{"mode": "absolute", "steps": steps}
	p["options"] = object{"reduceOptions": object{"calcs": list{"lastNotNull"}, "fields": "", "values": false}, "colorMode": "value", "graphMode": "area", "textMode": "auto"}
	return p
}

// graph is a time series, stacked where its parts make a whole.
func graph(title, text, unit string, stacked bool, queries ...query) object {
	p := panel("timeseries", title, text, unit, queries)
	custom := object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "stacking": object{"mode": "none"}}
	if stacked {
		custom["stacking"], custom["fillOpacity"] = object{"mode": "normal", "group": "A"}, 60
	}
	p["fieldConfig"].(object)["defaults"].(object)["custom"] = custom
	p["options"] = object{"legend": object{"showLegend": true, "displayMode": "table", "placement": "right", "calcs": list{"sum", "max"}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	return p
}

// table lists the series as they are now, without the columns hidden.
func table(title, text string, q query, hidden ...string) object {
	p := panel("table", title, text, "short", []query{q})
	exclude := object{"Time": true}
	for _, name := range hidden {
		exclude[name] = true
	}
	p["transformations"] = list{object{"id": "organize", "options": object{"excludeByName": exclude, "renameByName": object{"Value": "refusals"}}}}
	p["options"] = object{"showHeader": true, "sortBy": list{object{"displayName": "refusals", "desc": true}}}
	return p
}

func variable(name, label, expr string, all bool) object {
	v := object{"type": "query", "name": name, "label": label, "datasource": datasource, "refresh": 2, "sort": 1,
		"query": object{"query": expr, "refId": name}, "definition": expr, "includeAll": all, "multi": all}
	if all {
		v["current"] = object{"text": "All", "value": list{"$__all"}}
	}
	return v
}

func choice(name, label string, values ...string) object {
	options, text := list{}, ""
	for i, v := range values {
		options = append(options, object{"text": v, "value": v, "selected": i == 0})
		if i > 0 {
			text += ","
		}
		text += v
	}
	return object{"type": "custom", "name": name, "label": label, "query": text, "options": options,
		"current": object{"text": values[0], "value": values[0]}, "includeAll": false, "multi": false}
}

func main() {
	log.SetFlags(0)
	b := &board{}
	fill(b)
	dashboard := object{
		"uid": "relaylens", "title": "relaylens: refused mail", "tags": list{"mail", "relaylens"}, "schemaVersion": 39, "version": 1,
		"editable": true, "graphTooltip": 1, "refresh": "30s", "time": object{"from": "now-6h", "to": "now"}, "timezone": "browser",
		"templating":  object{"list": variables()},
		"annotations": object{"list": annotations()},
		"links": list{object{"type": "link", "title": "What to do about each cause", "url": "https://github.com/relaylens/relaylens/blob/main/docs/causes.md",
			"targetBlank": true, "icon": "doc", "tooltip": "", "tags": list{}, "asDropdown": false, "includeVars": false, "keepTime": false}},
		"panels": b.panels,
	}
	text, err := json.MarshalIndent(dashboard, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("relaylens.json", append(text, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}
