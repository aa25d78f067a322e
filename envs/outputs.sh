#!/bin/sh
# Say where a finished run left what people look at; $1: the scale, empty for that of the configuration.
set -eu
scale=${1:-$(cat config.yaml config.local.yaml 2>/dev/null | sed -n "s/^scale:[[:space:]]*[\"']\{0,1\}\([A-Za-z0-9_-]*\).*/\1/p" | tail -n 1)}
results=results/${scale:=laptop}
say() { if [ -e "$2" ]; then printf '  %-9s %s\n' "$1" "$2"; fi; }
echo "The paper at scale $scale:"
for tables in "$results"/*/tables; do say tables "$tables"; done
for figures in "figures/$scale"/*; do say figures "$figures"; done
say claims "$results/claims.csv"
say ranking "$results/leaderboard.csv"
say report "$results/report.html"
say PDF "$results/paper.pdf"
