export * from './client.types.js';
export {
  BufferFullError,
  PointerConflictError,
  SwitchTimeoutError,
  TransactionAbortedError,
  UnknownClusterError,
} from './client.errors.js';
export type { ClusterPort, ConsumerPort, OpenCluster, ProducerPort, TransactionPort } from './cluster.port.js';
export { createSwitchingKafka } from './switching-kafka.js';
