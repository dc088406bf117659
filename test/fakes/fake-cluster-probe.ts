import { setImmediate } from 'node:timers/promises';
import type { ClusterSample, IdcName, Ms } from '#health';
import type { FlowFacts, WatchGroup } from '#failover';
import type { ClusterProbe, MonotonicClock, ProbeRound, SelfMonitor } from '../../apps/agent/src/ports.js';

export type Weather = 'up' | 'refused';

/** A cluster by decree: what its rounds find is set by the test. */
export class FakeClusterProbe implements ClusterProbe {
  weather: Weather = 'up';
  flows: readonly Readonly<{ group: string; facts: FlowFacts }>[] = [];
  consumerGroups: ProbeRound['consumerGroups'] = [];
  watch: readonly WatchGroup[] = [];
  idc: IdcName | null = null;
  closed = false;

  constructor(private readonly clock: MonotonicClock) {}

  async sample(): Promise<ProbeRound> {
    const takenAtMs = this.clock();
    await setImmediate();
    return {
      sample: sampleOf(this.weather, takenAtMs),
      agesAtMs: this.clock(),
      flows: this.flows,
      fences: [],
      clusterSettings: { brokerSessionTimeoutMs: 9_000, electionTimeoutMs: 1_000 },
      flowSettings: [],
      consumerGroups: this.consumerGroups,
    };
  }

  setWatch(groups: readonly WatchGroup[], idc: IdcName | null): void {
    this.watch = groups;
    this.idc = idc;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

export const soundSelf: SelfMonitor = {
  health: () => ({ healthy: true, reasons: [] }),
  close: () => Promise.resolve(),
};

function sampleOf(weather: Weather, takenAtMs: Ms): ClusterSample {
  const up = weather === 'up';
  const counts = { total: 3, offline: 0, underReplicated: 0, underMinIsr: 0 };
  return {
    takenAtMs,
    expectedBrokers: 1,
    brokers: [{ address: '127.0.0.1:9092', brokerId: 1, error: up ? null : 'refused', latencyMs: up ? 1 : null }],
    activeBrokers: up ? 1 : null,
    clusterId: up ? 'cluster' : null,
    quorumLeader: up ? 1 : null,
    quorumError: null,
    hotStandby: up ? counts : null,
    otherTopics: up ? counts : null,
    canaries: up ? [{ brokerId: 1, ok: true, latencyMs: 2, error: null, errorCode: null }] : [],
    endOffsetsAdvanced: up ? true : null,
    self: { healthy: true, reasons: [] },
  };
}
