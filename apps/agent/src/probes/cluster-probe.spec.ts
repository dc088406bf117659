import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assess, DEFAULT_HEALTH_SETTINGS, foldSample, type HealthMemory, INITIAL_HEALTH_MEMORY } from '#health';
import { monotonicMs, PLAINTEXT } from '#kafka';
import { ScriptedBroker } from '#testing';
import type { AgentConfig } from '../config/agent-config.js';
import type { ClusterProbe, ProbeRound } from '../ports.js';
import { createClusterProbe, EndOffsetBoard } from './index.js';

let dataDir: string;
let broker: ScriptedBroker;
let probe: ClusterProbe;

function newProbe(): ClusterProbe {
  const config: AgentConfig = {
    agent: { id: 'agent-c', idc: 'c', dataDir },
    logLevel: 'silent',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 500, failures: 3 },
    referenceTargets: [],
    clusters: [],
  };
  const self = { health: () => ({ healthy: true, reasons: [] }), close: () => Promise.resolve() };
  const cluster = {
    name: 'a',
    idc: 'a',
    bootstrapServers: [broker.address],
    security: PLAINTEXT,
    ordinary: null,
    connectUrl: null,
  };
  return createClusterProbe(cluster, { config, clock: monotonicMs, self, board: new EndOffsetBoard() });
}

async function rounds(count: number): Promise<readonly ProbeRound[]> {
  const seen: ProbeRound[] = [];
  for (let i = 0; i < count; i += 1) seen.push(await probe.sample());
  return seen;
}

/** Whose id is on disk by now: a restart finds it. */
const remembered = (): Promise<void> =>
  vi.waitFor(() => expect(readFileSync(join(dataDir, 'cluster-ids', 'a'), 'utf8')).toBe('cluster-A\n'));

/** What the rounds, a period apart, make of a vote that was UP. */
function voteAfter(seen: readonly ProbeRound[]): string {
  const s = DEFAULT_HEALTH_SETTINGS;
  let memory: HealthMemory = INITIAL_HEALTH_MEMORY;
  let atMs = 0;
  for (const { sample } of seen) memory = foldSample(memory, { ...sample, takenAtMs: (atMs += s.periodMs) }, s);
  return assess('a', memory, atMs, s).state;
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'pointsman-probe-'));
  broker = await ScriptedBroker.start();
  broker.clusterId = 'cluster-A';
  probe = newProbe();
});
afterEach(async () => {
  await probe.close();
  await broker.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('the probe of a cluster whose address leads to another cluster', () => {
  it('adopts nothing of it and votes neither UP nor DOWN', async () => {
    const before = await rounds(1);
    await remembered();
    expect(before[0]?.sample).toMatchObject({ expectedBrokers: 1, activeBrokers: 1, clusterId: 'cluster-A' });
    broker.become('cluster-B');
    const after = await rounds(4);
    for (const { sample } of after) {
      expect(sample).toMatchObject({ expectedBrokers: 1, activeBrokers: null, clusterId: null, hotStandby: null });
      expect(sample.brokers).toMatchObject([{ brokerId: 1, error: 'other' }]);
    }
    expect(voteAfter([...before, ...after])).toBe('ABSTAIN');
    broker.become('cluster-A');
    expect((await rounds(1))[0]?.sample).toMatchObject({ activeBrokers: 1, clusterId: 'cluster-A' });
  });

  it('knows the cluster still after a restart', async () => {
    await rounds(1);
    await remembered();
    await probe.close();
    broker.become('cluster-B');
    probe = newProbe();
    const after = await rounds(4);
    expect(after.map((r) => r.sample.clusterId)).toEqual([null, null, null, null]);
    expect(voteAfter(after)).toBe('ABSTAIN');
  });
});
