#!/bin/sh
# The group's topics on the active cluster; MirrorMaker 2 makes them on the other.
set -eu
for topic in orders pay-card; do
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka-a:9092 --create --if-not-exists \
    --topic "$topic" --partitions 3 --replication-factor 1
done
