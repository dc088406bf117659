#!/bin/sh
# Creates the connectors in folder $1 (examples/mm2), made fit for one broker, on the worker beside their target.
# The idle direction is created STOPPED, as its files say: both directions running would copy every record for ever.
set -eu
for flow in a-b b-a; do
  worker="http://connect-${flow#*-}:8083"
  curl -sSf -o /dev/null --retry 90 --retry-delay 2 --retry-all-errors "$worker/connectors"
  for kind in hb src cp; do
    name="$flow-$kind"
    sed -e 's/kafka-\([ab]\)1\.example:9092,[^"]*/kafka-\1:9092/' -e 's/\(replication\.factor"\): "3"/\1: "1"/' \
      "$1/$name.json" > "/tmp/$name.json"
    if curl -sf -o /dev/null "$worker/connectors/$name"; then continue; fi
    curl -sSf -X POST -H 'Content-Type: application/json' -d "@/tmp/$name.json" "$worker/connectors"
  done
done
