#!/bin/sh
# Starts the Connect worker beside cluster $1 with the settings of examples/mm2, made fit for one broker.
set -eu
cluster=$1
sed -e "s/kafka-b1\.example:9092,.*/kafka-$cluster:9092/" -e "s/connect-b\.example/connect-$cluster/" \
  -e 's/\(storage\.replication\.factor\)=3/\1=1/' /mm2/worker.properties > /tmp/worker.properties
exec /opt/kafka/bin/connect-distributed.sh /tmp/worker.properties
