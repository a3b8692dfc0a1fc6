#!/bin/sh
# Checks the unit and its companions with systemd's own tools:
#
#   check.sh [BINARY]
#
# BINARY, the built program, stands in for /usr/bin/relaylens. Needs no running
# systemd. Exit status 0: all is well; 1: something is wrong; 77: a tool is missing.
set -eu

limit=1.5
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-/bin/true}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
	echo "systemd/check.sh: $*" >&2
	exit 1
}

for tool in systemd-analyze systemd-sysusers systemd-tmpfiles; do
	if ! command -v "$tool" >/dev/null; then
		echo "systemd/check.sh: SKIP: $tool is not installed (apt-get install systemd)" >&2
		exit 77
	fi
done

# verify wants the program to exist; where it stands is the package's affair.
binary=$(realpath "$binary")
sed "s|/usr/bin/relaylens|$binary|" "$here/relaylens.service" >"$tmp/relaylens.service"
systemd-analyze verify --man=no --recursive-errors=no "$tmp/relaylens.service" >"$tmp/verify" 2>&1 ||
	fail "systemd-analyze verify: $(cat "$tmp/verify")"
# A key that systemd does not know is a warning to it and a mistake to us.
[ ! -s "$tmp/verify" ] || fail "systemd-analyze verify: $(cat "$tmp/verify")"

score=$(systemd-analyze security --offline=true --no-pager "$tmp/relaylens.service" |
	sed -n 's/.*Overall exposure level for relaylens.service: \([0-9.]*\).*/\1/p')
[ -n "$score" ] || fail "systemd-analyze security printed no exposure level"
awk -v s="$score" -v l="$limit" 'BEGIN { exit !(s <= l) }' ||
	fail "exposure level $score, allowed are $limit; see systemd-analyze security"

# The companions, on an empty system of their own.
root=$tmp/root
mkdir -p "$root/etc" "$root/var/lib"
systemd-sysusers --root="$root" "$here/relaylens.sysusers" >"$tmp/sysusers" 2>&1 ||
	fail "systemd-sysusers: $(cat "$tmp/sysusers")"
grep -q '^relaylens:.*:/var/lib/relaylens:' "$root/etc/passwd" || fail "sysusers made no user relaylens"
for group in adm systemd-journal; do
	grep -q "^$group:.*[:,]relaylens\$" "$root/etc/group" || fail "sysusers did not put relaylens into $group"
	grep -q "^SupplementaryGroups=.*\\b$group\\b" "$here/relaylens.service" || fail "the unit lacks the group $group"
done

if [ "$(id -u)" != 0 ]; then
	echo "systemd/check.sh: SKIP: tmpfiles gives directories away, which needs root" >&2
	exit 77
fi
systemd-tmpfiles --root="$root" --create "$here/relaylens.tmpfiles" >"$tmp/tmpfiles" 2>&1 ||
	fail "systemd-tmpfiles: $(cat "$tmp/tmpfiles")"
owner=$(awk -F: '$1 == "relaylens" { print $3 ":" $4 }' "$root/etc/passwd")
[ "$(stat -c %u:%g:%a "$root/var/lib/relaylens")" = "$owner:750" ] || fail "tmpfiles: /var/lib/relaylens is not the daemon's own"
[ "$(stat -c %u:%g:%a "$root/etc/relaylens")" = "0:0:755" ] || fail "tmpfiles: /etc/relaylens is not root's, readable by all"

echo "systemd: unit verified, exposure level $score (at most $limit), user and directories right"
