import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { cachedFolder } from './cached-folder.js';
import { kafkaPom } from './kafka-pom.js';
import { requireJava, requireMaven } from './requirements.js';
import { progressToStderr, type Progress } from './progress.js';
import { runCommand, tail } from './run-command.js';
import { SetupError } from './setup-error.js';

/** Kafka lines the lab can start, with the newest release of each that is complete on Maven Central. */
export const kafkaReleases = { '4.3': '4.3.1', '3.9': '3.9.2' } as const satisfies Record<string, string>;
export type KafkaVersion = keyof typeof kafkaReleases;

const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/** @returns the folder whose `*.jar` are one whole Kafka; downloaded by Maven the first time (about 55 MB). */
export async function ensureKafkaJars(version: KafkaVersion, onProgress: Progress = progressToStderr): Promise<string> {
  const release = kafkaReleases[version];
  const { folder } = await cachedFolder(`kafka-${release}`, async (building) => {
    await requireJava();
    await requireMaven();
    onProgress(`downloading Kafka ${release} with Connect and MirrorMaker 2 (about 55 MB, once)`);
    await writeFile(path.join(building, 'pom.xml'), kafkaPom(release));
    await mkdir(path.join(building, 'libs'));
    const result = await runCommand(
      'mvn',
      [
        '-q',
        '-B',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${path.join(building, 'libs')}`,
      ],
      { cwd: building, timeoutMs: DOWNLOAD_TIMEOUT_MS },
    );
    if (result.code !== 0) {
      throw new SetupError(
        `Maven could not fetch Kafka ${release} (exit ${result.code}): ${tail(result.stdout + result.stderr, 3)}`,
        'Check that `mvn dependency:get -Dartifact=org.apache.kafka:kafka-clients:' + release + '` works here',
      );
    }
    await rm(path.join(building, 'target'), { recursive: true, force: true });
  });
  return path.join(folder, 'libs');
}
