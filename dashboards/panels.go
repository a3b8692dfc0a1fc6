//go:build ignore

package main

// of are the labels that the variables choose.
const of = `host=~"$host", mta=~"$mta"`

func variables() list {
	return list{
		object{"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"},
		variable("host", "Host", `label_values(relaylens_refusals_total, host)`, true),
		variable("mta", "MTA", `label_values(relaylens_refusals_total{host=~"$host"}, mta)`, true),
		choice("window", "Window", "1h", "1m", "5m", "24h"),
		choice("by", "By", "client", "network", "user", "sender_domain", "recipient_domain"),
		variable("key", "Which", `label_values(relaylens_top_refusals{by="$by", window="$window", key!="other"}, key)`, false),
	}
}

func annotations() list {
	return list{
		object{"name": "Alerts", "datasource": datasource, "enable": true, "iconColor": "red", "step": "60s", "tagKeys": "severity",
			"expr": `max by (severity) (relaylens_alerts_active) > 0`, "titleFormat": "Alert", "textFormat": "{{severity}}"},
		object{"name": "Restarts", "datasource": datasource, "enable": true, "iconColor": "blue", "step": "60s", "tagKeys": "instance",
			"expr":        `changes(process_start_time_seconds{job=~".*relaylens.*"}[2m]) >= 0 and time() - process_start_time_seconds{job=~".*relaylens.*"} < 120`,
			"titleFormat": "relaylens started", "textFormat": "{{instance}}"},
	}
}

func fill(b *board) {
	overview(b)
	causes(b)
	talkers(b)
	one(b)
	itself(b)
}

func overview(b *board) {
	b.row("Overview")
	b.add(4, 4, stat("Refusals, last hour", "SMTP commands answered 4xx or 5xx.", "short", 0, 0,
		query{`sum(increase(relaylens_refusals_total{` + of + `}[1h]))`, ""}))
	b.add(4, 4, stat("Relay denials, last hour", "The server would not relay for the client.", "short", 0, 0,
		query{`sum(increase(relaylens_refusals_total{` + of + `, kind="relay_denied"}[1h]))`, ""}))
	b.add(4, 4, stat("Problems of the server's own", "Findings of the last hour whose fault is the server's: mail is lost until somebody mends them.", "short", 0, 1,
		query{`sum(relaylens_findings{fault="server"})`, ""}))
	b.add(4, 4, stat("Alerts", "Problems that somebody is told of.", "short", 1, 0, query{`sum(relaylens_alerts_active)`, ""}))
	b.add(4, 4, stat("Logins that fail", "Share of the SASL logins of the last hour.", "percentunit", 0.5, 0.9,
		query{`sum(increase(relaylens_logins_total{` + of + `, result="failed"}[1h])) / (sum(increase(relaylens_logins_total{` + of + `}[1h])) > 0)`, ""}))
	b.add(4, 4, stat("Messages accepted, last hour", "From clients and local users.", "short", 0, 0,
		query{`sum(increase(relaylens_messages_total{` + of + `, status="accepted"}[1h]))`, ""}))
	b.add(12, 8, graph("Refusals by kind", "Per minute. relay_denied: will not relay; sender_verify: the sender could not be verified; auth_failed: a login failed; rejected: everything else.", "opm", true,
		query{`sum by (kind) (rate(relaylens_refusals_total{` + of + `}[$__rate_interval])) * 60`, "{{kind}}"}))
	b.add(12, 8, graph("Refusals by reason", "Per minute, the ten largest: what the server said.", "opm", true,
		query{`topk(10, sum by (kind, reason) (rate(relaylens_refusals_total{` + of + `}[$__rate_interval])) > 0) * 60`, "{{kind}} {{reason}}"}))
	b.add(8, 7, graph("By host", "Refusals per minute.", "opm", false,
		query{`sum by (host, mta) (rate(relaylens_refusals_total{` + of + `}[$__rate_interval])) * 60`, "{{host}} {{mta}}"}))
	b.add(8, 7, graph("Inbound and outbound", "Inbound: this server refused. Outbound: another server refused this one. 4xx: for now; 5xx: for good.", "opm", false,
		query{`sum by (direction, class) (rate(relaylens_refusals_total{` + of + `}[$__rate_interval])) * 60`, "{{direction}} {{class}}"}))
	b.add(8, 7, graph("Mail that went through", "Messages accepted and recipients delivered to, per minute.", "opm", false,
		query{`sum by (status) (rate(relaylens_messages_total{` + of + `}[$__rate_interval])) * 60`, "{{status}}"}))
}

func causes(b *board) {
	b.row("Causes: why")
	b.add(12, 8, graph("Causes", "Refusals per minute by why they happened, as far as each told by itself.", "opm", true,
		query{`sum by (cause) (rate(relaylens_causes_total{` + of + `}[$__rate_interval])) * 60 > 0`, "{{cause}}"}))
	b.add(12, 8, graph("Whose fault", "Refusals per minute by who has to change something.", "opm", true,
		query{`sum by (fault) (rate(relaylens_causes_total{` + of + `}[$__rate_interval])) * 60`, "{{fault}}"}))
	b.add(12, 8, table("Causes in this time", "", query{`sort_desc(sum by (cause, fault) (increase(relaylens_causes_total{` + of + `}[$__range])) > 0)`, ""}))
	b.add(12, 8, table("Findings", "Problems of the last hour that refusals point to. relaylens diagnose shows them with evidence and fixes.",
		query{`sum by (cause, fault) (relaylens_findings) > 0`, ""}))
}

func talkers(b *board) {
	b.row("Top talkers (all hosts, within $window)")
	for _, by := range []struct{ name, title string }{
		{"client", "Clients"}, {"network", "Networks"}, {"user", "Users of failed logins"}, {"sender_domain", "Sender domains"}, {"recipient_domain", "Recipient domains"},
	} {
		b.add(8, 9, table(by.title, "Those with the most refusals; other is all the rest.",
			query{`sort_desc(sum by (key) (relaylens_top_refusals{by="` + by.name + `", window="$window"}))`, ""}))
	}
	b.add(8, 9, graph("How many different", "Distinct clients, networks, users and domains that were refused within the window, of the kind with the most. Many clients at once are a botnet.", "short", false,
		query{`max by (by) (relaylens_distinct{window="$window"})`, "{{by}}"}))
}

func one(b *board) {
	b.row("One $by: $key")
	b.add(16, 8, graph("Refusals of $key", "Within the window, while it is among those with the most.", "short", true,
		query{`sum by (kind) (relaylens_top_refusals{by="$by", key="$key", window="$window"})`, "{{kind}}"}))
	b.add(8, 8, stat("Share of all", "Of the refusals within the window that tell a $by.", "percentunit", 0.3, 0.6,
		query{`sum(relaylens_top_refusals{by="$by", key="$key", window="$window"}) / sum(relaylens_top_refusals{by="$by", window="$window"})`, ""}))
}

func itself(b *board) {
	b.row("relaylens itself")
	b.add(4, 4, stat("Sources that cannot be read", "", "short", 0, 1, query{`count(relaylens_source_up) - sum(relaylens_source_up)`, ""}))
	b.add(4, 4, stat("Age of the last line", "Of the source that has been silent longest.", "s", 3600, 0, query{`max(time() - relaylens_last_line_timestamp_seconds)`, ""}))
	b.add(4, 4, stat("Unread", "What the sources hold that was not read yet.", "bytes", 1e6, 1e8, query{`sum(relaylens_source_lag_bytes)`, ""}))
	b.add(4, 4, stat("Store", "1 while it can be written.", "short", 0, 0, query{`min(relaylens_store_up)`, ""}))
	b.add(4, 4, stat("Not understood, last hour", "Lines that should have been. Please report them.", "short", 1, 0,
		query{`sum(increase(relaylens_lines_total{result="malformed"}[1h]))`, ""}))
	b.add(4, 4, stat("Alertmanagers", "1 while each takes alerts.", "short", 0, 0, query{`min(relaylens_alertmanager_up)`, ""}))
	b.add(8, 7, graph("Lines read", "Per second, by what became of them.", "cps", true,
		query{`sum by (result) (rate(relaylens_lines_total[$__rate_interval]))`, "{{result}}"}))
	b.add(8, 7, graph("Behind", "Time for which each source has held something unread.", "s", false,
		query{`relaylens_source_lag_seconds`, "{{instance}} {{source}}"}))
	b.add(8, 7, graph("Commits to the store", "Time of a transaction, and how many a second.", "s", false,
		query{`histogram_quantile(0.99, sum by (le) (rate(relaylens_commit_duration_seconds_bucket[$__rate_interval])))`, "99 %"},
		query{`histogram_quantile(0.5, sum by (le) (rate(relaylens_commit_duration_seconds_bucket[$__rate_interval])))`, "50 %"}))
	b.add(8, 7, graph("Alerts sent", "By Alertmanager, per minute; an active alert is sent each minute.", "opm", false,
		query{`sum by (alertmanager) (rate(relaylens_alerts_sent_total[$__rate_interval])) * 60`, "sent to {{alertmanager}}"},
		query{`sum by (alertmanager) (rate(relaylens_alerts_errors_total[$__rate_interval])) * 60`, "errors of {{alertmanager}}"},
		query{`sum by (alertmanager) (rate(relaylens_alerts_dropped_total[$__rate_interval])) * 60`, "dropped for {{alertmanager}}"}))
	b.add(8, 7, graph("Queues", "Entries that wait.", "short", false,
		query{`relaylens_queue_length`, "{{instance}} {{queue}}"},
		query{`relaylens_alerts_queue_length`, "{{instance}} alerts for {{alertmanager}}"}))
	b.add(8, 7, graph("Memory", "", "bytes", false,
		query{`process_resident_memory_bytes and on (instance, job) relaylens_build_info`, "{{instance}} resident"},
		query{`go_memstats_heap_inuse_bytes and on (instance, job) relaylens_build_info`, "{{instance}} heap"}))
	b.add(8, 7, graph("CPU", "", "percentunit", false,
		query{`rate(process_cpu_seconds_total[$__rate_interval]) and on (instance, job) relaylens_build_info`, "{{instance}}"}))
	b.add(8, 7, graph("Events stored", "Refusals written per second.", "cps", false,
		query{`sum by (instance) (rate(relaylens_stored_events_total[$__rate_interval]))`, "{{instance}}"}))
	b.add(8, 7, table("Versions", "", query{`sum by (instance, version, revision, goversion) (relaylens_build_info)`, ""}))
}
