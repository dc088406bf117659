/** Kafka's API keys by number (org.apache.kafka.common.protocol.ApiKeys); unknown ones are shown as `api-<key>`. */
// prettier-ignore
const names: Readonly<Record<number, string>> = {
  0: 'Produce', 1: 'Fetch', 2: 'ListOffsets', 3: 'Metadata', 8: 'OffsetCommit', 9: 'OffsetFetch', 10: 'FindCoordinator',
  11: 'JoinGroup', 12: 'Heartbeat', 13: 'LeaveGroup', 14: 'SyncGroup', 15: 'DescribeGroups', 16: 'ListGroups',
  17: 'SaslHandshake', 18: 'ApiVersions', 19: 'CreateTopics', 20: 'DeleteTopics', 21: 'DeleteRecords',
  22: 'InitProducerId', 23: 'OffsetForLeaderEpoch', 24: 'AddPartitionsToTxn', 25: 'AddOffsetsToTxn', 26: 'EndTxn',
  28: 'TxnOffsetCommit', 29: 'DescribeAcls', 30: 'CreateAcls', 31: 'DeleteAcls', 32: 'DescribeConfigs',
  33: 'AlterConfigs', 34: 'AlterReplicaLogDirs', 35: 'DescribeLogDirs', 36: 'SaslAuthenticate', 37: 'CreatePartitions',
  42: 'DeleteGroups', 43: 'ElectLeaders', 44: 'IncrementalAlterConfigs', 45: 'AlterPartitionReassignments',
  46: 'ListPartitionReassignments', 47: 'OffsetDelete', 48: 'DescribeClientQuotas', 49: 'AlterClientQuotas',
  50: 'DescribeUserScramCredentials', 51: 'AlterUserScramCredentials', 55: 'DescribeQuorum', 57: 'UpdateFeatures',
  60: 'DescribeCluster', 61: 'DescribeProducers', 65: 'DescribeTransactions', 66: 'ListTransactions',
  68: 'ConsumerGroupHeartbeat', 69: 'ConsumerGroupDescribe', 71: 'GetTelemetrySubscriptions', 72: 'PushTelemetry',
  75: 'DescribeTopicPartitions',
};

/**
 * Requests that change what the cluster holds: records, topics, offsets, configuration, rights.
 * Group membership (JoinGroup …) is left out: it is what every consumer does by being there.
 */
const mutating = new Set([0, 8, 19, 20, 21, 24, 25, 26, 28, 30, 31, 33, 34, 37, 42, 43, 44, 45, 47, 49, 51, 57]);

export function kafkaApiName(key: number): string {
  return names[key] ?? `api-${key}`;
}

export function isMutatingKafkaApi(key: number): boolean {
  return mutating.has(key);
}
