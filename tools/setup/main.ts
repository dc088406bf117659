/**
 * `node dist/tools/setup/main.js demo|test`: everything the demo, or the tests, need on a fresh machine beyond `npm ci`
 * and the build. Says each step on stderr; fails with one line that names what is missing and the command that gives it.
 */
import { ensureClassArchives } from '../lab/class-archives.js';
import { ensureDebianPostgres } from './debian-postgres.js';
import { ensureEtcd } from './etcd.js';
import { ensureKafkaJars } from './kafka-jars.js';
import { ensureLibrdkafka } from './librdkafka.js';
import { ensurePostgres } from './postgres.js';
import { ensurePrometheus } from './prometheus.js';
import { ensureRedis } from './redis.js';
import { requireJava, requireLinux, requireMaven, requireNode, requireSetpriv } from './requirements.js';
import { ensureSchemathesis } from './schemathesis.js';
import { SetupError } from './setup-error.js';
import { progressToStderr } from './progress.js';

const usage = `Fetches what the demo or the tests need, into the cache folder (POINTSMAN_CACHE, or .cache/ in the checkout).

usage: node dist/tools/setup/main.js demo|test

  demo   Kafka 4.3 (Maven), PostgreSQL (npm)
  test   the same, Kafka 3.9, and etcd, Redis, PostgreSQL with its client, promtool, Alertmanager (Debian packages, unpacked, not installed), librdkafka and schemathesis (PyPI)

example: POINTSMAN_CACHE=~/.cache/pointsman node dist/tools/setup/main.js test
`;

async function main(what: string | undefined): Promise<number> {
  if (what === '--help' || what === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  if (what !== 'demo' && what !== 'test') {
    process.stderr.write(usage);
    return 2;
  }
  requireLinux();
  requireNode();
  await Promise.all([requireJava(), requireMaven(), requireSetpriv()]);
  await ensurePostgres();
  await ensureKafkaJars('4.3');
  await ensureClassArchives('4.3', progressToStderr);
  if (what === 'test') {
    await ensureKafkaJars('3.9');
    await ensureClassArchives('3.9', progressToStderr);
    await ensureEtcd();
    await ensureDebianPostgres();
    await ensureRedis();
    await ensurePrometheus();
    await ensureLibrdkafka();
    await ensureSchemathesis();
  }
  progressToStderr(`set-up for ${what}: complete`);
  return 0;
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
