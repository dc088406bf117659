import { cachedFolder, type KafkaVersion, type Progress, runCommand } from '../setup/index.js';
import type { ClassArchives } from './java.js';
import { launchLab } from './launch-lab.js';

const PROBE_TIMEOUT_MS = 30_000;

/**
 * The JVM's archives of already parsed classes, one per program (JEP 350). With them a broker's start costs 1.7 s of CPU
 * instead of 2.8 s, which on two cores is most of the wait for a lab. Recorded once per Kafka and Java by a lab of one
 * broker and one worker, ended by SIGTERM. The JVM checks them against its jars and goes on without when they do not fit.
 */
export async function ensureClassArchives(version: KafkaVersion, onProgress: Progress): Promise<ClassArchives> {
  const { folder } = await cachedFolder(`class-archives-${version}-${await javaBuild()}`, async (building) => {
    onProgress(`recording class archives of Kafka ${version}, for faster starts (about 20 s, once)`);
    const archives = { mode: 'record', folder: building } as const;
    const lab = await launchLab({ clusters: { a: { version } }, postgres: false }, () => Promise.resolve(archives));
    try {
      await lab.createTopic('a', { name: 'recorded', partitions: 1 });
      await lab.stop({ connect: 'a' });
      await lab.stop({ cluster: 'a' });
    } finally {
      await lab.close();
    }
  });
  return { mode: 'use', folder };
}

/** An archive fits exactly one JVM build: its version line, as a file name. */
async function javaBuild(): Promise<string> {
  const { stderr, stdout } = await runCommand('java', ['-version'], { timeoutMs: PROBE_TIMEOUT_MS });
  const build = /build ([\w.+-]+)/.exec(stderr + stdout)?.[1] ?? 'unknown';
  return build.replace(/[^\w.-]/g, '_');
}
