/** Real Kafka, MirrorMaker 2, PostgreSQL and etcd in three pretended IDCs on this machine. */
export { defaultAllows, type LabAllow } from './acls.js';
export { Lab } from './lab.js';
export { LabProcess } from './lab-process.js';
export { processesOfRun } from './proc-fs.js';
export type { ProcessExit } from './processes.js';
export type { ConnectMutation, CountsByPair, ProxyStats } from './proxy/protocol.js';
export { AlertmanagerServer, RedisServer } from './lone-servers.js';
export { startMirrorMaker } from './mirror-maker.js';
export { startLab } from './start-lab.js';
export {
  labIdcs,
  labLogin,
  labPassword,
  labUsers,
  type LabClusterName,
  type LabClusterOptions,
  type LabFlow,
  type LabFlowConnectors,
  type LabIdc,
  type LabOptions,
  type LabSpawn,
  type LabTarget,
  type LabTopic,
  type LabUser,
} from './types.js';
export { waitFor } from './wait.js';
export {
  SetupError,
  checkoutRoot,
  ensureDebianPostgres,
  ensureEtcd,
  ensurePostgres,
  ensurePrometheus,
  type KafkaVersion,
} from '../setup/index.js';
