import { formatDuration } from '#platform';
import type { RawAgentConfig } from './schema.js';

type Broken = Readonly<{ path: readonly PropertyKey[]; message: string }>;

/** Shorter rounds would only measure the agent itself. */
const SHORTEST_PERIOD_MS = 100;

/** Rules over more than one field. Each message prints the values and says what to do. */
export function brokenRules(config: RawAgentConfig): readonly Broken[] {
  const { probe, tls, plaintext, agent } = config;
  const broken: Broken[] = [];
  if ((tls === undefined) !== plaintext) {
    broken.push({
      path: ['tls'],
      message: 'set either tls: {caFile, certFile, keyFile} or plaintext: true',
    });
  }
  if (probe.period < SHORTEST_PERIOD_MS) {
    broken.push({
      path: ['probe', 'period'],
      message: `period ${formatDuration(probe.period)} must be at least ${formatDuration(SHORTEST_PERIOD_MS)}`,
    });
  }
  config.clusters.forEach((cluster, i) => {
    if (config.clusters.findIndex((c) => c.name === cluster.name) !== i) {
      broken.push({ path: ['clusters', i, 'name'], message: `"${cluster.name}" is named twice` });
    }
  });
  config.controllers.forEach((controller, i) => {
    if (config.controllers.indexOf(controller) !== i) {
      broken.push({ path: ['controllers', i], message: `"${controller}" is named twice` });
    }
  });
  config.referenceTargets.forEach((target, i) => {
    if (target.idc === agent.idc) {
      broken.push({
        path: ['referenceTargets', i, 'idc'],
        message: `"${target.idc}" is this agent's own IDC: a reference target must stand in another one`,
      });
    }
  });
  return broken;
}
