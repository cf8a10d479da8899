#!/bin/sh
# Watchfire beside Debian's Prometheus, Alertmanager, promtool, amtool and node exporter: the same targets, data, alerts and
# command lines. Installs the packages where it may; says so and ends well where there are none. Needs `npm run build`.
set -eu
cd "$(dirname "$0")/.."

tools='prometheus promtool prometheus-alertmanager amtool prometheus-node-exporter'
missing() {
  for tool in $tools; do command -v "$tool" >/dev/null 2>&1 || printf ' %s' "$tool"; done
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "interop: installing Debian's packages, missing:$(missing)"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
    prometheus prometheus-alertmanager prometheus-node-exporter; } >/dev/null 2>&1 || true
fi
if [ -n "$(missing)" ]; then
  echo "interop: skipped, these programs are missing and could not be installed:$(missing)"
  echo '0 passed, 0 failed'
  exit 0
fi
exec node e2e/interop/run.mjs "$@"
