/** Places in logs, and the names of a flow's connectors: what commands of every kind are made of. */

export type TopicPartition = Readonly<{ topic: string; partition: number }>;
export type PartitionOffset = Readonly<TopicPartition & { offset: number }>;
export type OffsetRange = Readonly<TopicPartition & { from: number; to: number }>;
export type GroupOffset = Readonly<PartitionOffset & { group: string }>;

export type ConnectorNames = Readonly<{ source: string; checkpoint: string; heartbeat: string }>;
