export * from './client.types.js';
export { BufferFullError, PointerConflictError, SwitchTimeoutError, UnknownClusterError } from './client.errors.js';
export type { ClusterPort, ConsumerPort, OpenCluster, ProducerPort } from './cluster.port.js';
export { createSwitchingKafka } from './switching-kafka.js';
