export { cachedFolder } from './cached-folder.js';
export { ensureEtcd, type EtcdBinaries } from './etcd.js';
export { ensureKafkaJars, type KafkaVersion } from './kafka-jars.js';
export { checkoutRoot } from './paths.js';
export { ensurePostgres, type PostgresBinaries } from './postgres.js';
export type { Progress } from './progress.js';
export { requireJava, requireLinux, requireNode, requireSetpriv } from './requirements.js';
export { runCommand, tail } from './run-command.js';
export { SetupError } from './setup-error.js';
