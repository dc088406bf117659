import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { ensureKafkaJars } from '../setup/index.js';
import { flowConfig } from './flow-config.js';
import { javaArgs, javaProperties } from './java.js';
import type { LabProcess } from './lab-process.js';
import type { Lab } from './lab.js';
import type { LabFlow } from './types.js';

/** Of one connector only: a dedicated process sets these itself, from `clusters` and `<cluster>.*`. */
const OF_A_CONNECTOR = /^(source|target)\.cluster\.|converter$|^source\.(admin|consumer)\./;

/**
 * A dedicated MirrorMaker process beside the flow's target, from the jars of the lab's default version, in a plaintext lab of
 * one broker each. Only the one direction is enabled. Resolves when it runs, which is well before it copies.
 */
export async function startMirrorMaker(lab: Lab, flow: LabFlow): Promise<LabProcess> {
  const { from, to } = flow;
  const [source, target] = [lab.bootstrapServers(from, to), lab.bootstrapServers(to, to)];
  const shared = Object.entries(
    flowConfig(flow, { sourceBootstrap: source, targetBootstrap: target, replicationFactor: 1, security: 'plaintext' }),
  ).filter(([key]) => !OF_A_CONNECTOR.test(key));
  const properties = javaProperties({
    ...Object.fromEntries(shared),
    clusters: `${from},${to}`,
    [`${from}.bootstrap.servers`]: source.join(','),
    [`${to}.bootstrap.servers`]: target.join(','),
    [`${from}->${to}.enabled`]: true,
    [`${to}->${from}.enabled`]: false,
    // How often positions are stored; only with the target's prefix is it read.
    [`${to}.offset.flush.interval.ms`]: 1_000,
    [`${from}.offset.flush.interval.ms`]: 1_000,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    'config.storage.replication.factor': 1,
  });
  const file = path.join(lab.dir, 'mirror-maker.properties');
  await writeFile(file, properties);
  const args = javaArgs({
    jars: await ensureKafkaJars('4.3'),
    runId: lab.runId,
    archives: undefined,
    program: 'mirror-maker',
    args: [file],
  });
  return lab.spawn({ idc: to, name: 'mirror-maker', command: 'java', args });
}
