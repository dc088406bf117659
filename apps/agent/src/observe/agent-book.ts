import {
  assess,
  type ClusterName,
  type ClusterReport,
  foldSample,
  type HealthMemory,
  type HealthSettings,
  INITIAL_HEALTH_MEMORY,
  type Ms,
  type SelfHealth,
} from '#health';
import type { AgentReport, ConsumerGroupUpdate, FenceUpdate } from '#rpc';
import type { ProbeRound } from '../ports.js';
import { FlowBook } from './flow-book.js';

type ClusterEntry = { memory: HealthMemory; round: ProbeRound; revision: number; settingsRevision: number };

/** A report together with the revision that its receiver then holds. */
export type RevisedReport = Readonly<{ report: AgentReport; revision: number }>;

/** What the book knows of it: self-fences are not observed. */
export type BookReport = Readonly<{ report: Omit<AgentReport, 'selfFences'>; revision: number }>;

/**
 * Everything that this agent knows, newest only. Reports are made from it at the moment of sending, so their ages are
 * right however long a link was blocked. Not a queue: its size is the clusters' size.
 */
export class AgentBook {
  readonly #settings: HealthSettings;
  readonly #clusters = new Map<ClusterName, ClusterEntry>();
  readonly #flows = new Map<string, FlowBook>();
  #revision = 0;
  #self: SelfHealth = { healthy: false, reasons: ['no probe round yet'] };

  constructor(settings: HealthSettings) {
    this.#settings = settings;
  }

  get revision(): number {
    return this.#revision;
  }

  put(cluster: ClusterName, round: ProbeRound): void {
    this.#revision += 1;
    const before = this.#clusters.get(cluster);
    this.#clusters.set(cluster, {
      memory: foldSample(before?.memory ?? INITIAL_HEALTH_MEMORY, round.sample, this.#settings),
      round,
      revision: this.#revision,
      settingsRevision: sameSettings(before?.round, round) ? (before?.settingsRevision ?? 0) : this.#revision,
    });
    this.#self = round.sample.self;
    this.#putFlows(cluster, round);
  }

  #putFlows(cluster: ClusterName, round: ProbeRound): void {
    const { takenAtMs } = round.sample;
    const seen = new Set<string>();
    for (const observation of round.flows) {
      const { group, facts } = observation;
      const key = `${group}/${facts.from}->${facts.to}`;
      seen.add(key);
      const known = this.#flows.get(key);
      if (known === undefined) {
        this.#flows.set(key, new FlowBook(observation, takenAtMs, round.agesAtMs, this.#revision));
      } else {
        known.put(facts, takenAtMs, round.agesAtMs, this.#revision);
      }
    }
    for (const [key, flow] of this.#flows) {
      if (flow.to === cluster && !seen.has(key)) this.#flows.delete(key); // not watched any more
    }
  }

  /** What this agent says of one cluster at `now`; null before its first round. */
  assess(cluster: ClusterName, now: Ms): ClusterReport | null {
    const entry = this.#clusters.get(cluster);
    return entry === undefined ? null : assess(cluster, entry.memory, now, this.#settings);
  }

  /** What changed since `sinceRevision`: each changed cluster whole, with the flows that end in it. */
  report(sinceRevision: number, full: boolean, now: Ms): BookReport {
    const changed = [...this.#clusters].filter(([, entry]) => full || entry.revision > sinceRevision);
    const names = new Set(changed.map(([name]) => name));
    const settled = changed.filter(([, entry]) => full || entry.settingsRevision > sinceRevision);
    return {
      revision: this.#revision,
      report: {
        full,
        self: this.#self,
        clusters: changed.map(([name, entry]) => assess(name, entry.memory, now, this.#settings)),
        flows: [...this.#flows.values()]
          .filter((flow) => names.has(flow.to))
          .map((flow) => flow.update(sinceRevision, full, now)),
        fences: changed.flatMap(([, entry]) => fencesOf(entry.round, now)),
        clusterSettings: settled.flatMap(([cluster, { round }]) =>
          round.clusterSettings === null ? [] : [{ cluster, ...round.clusterSettings }],
        ),
        flowSettings: settled.flatMap(([, { round }]) =>
          round.flowSettings.map(({ group, facts }) => ({ group, ...facts })),
        ),
        consumerGroups: changed.flatMap(([cluster, { round }]) => consumerGroupsOf(cluster, round, now)),
      },
    };
  }
}

function fencesOf(round: ProbeRound, now: Ms): FenceUpdate[] {
  const sinceMs = Math.max(0, now - round.agesAtMs);
  return round.fences.map(({ group, facts }) => ({
    ...facts,
    group,
    ageMs: facts.ageMs === null ? null : facts.ageMs + sinceMs,
  }));
}

function consumerGroupsOf(cluster: ClusterName, round: ProbeRound, now: Ms): ConsumerGroupUpdate[] {
  const sinceMs = Math.max(0, now - round.agesAtMs);
  return round.consumerGroups.map((c) => ({
    ...c,
    cluster,
    observedAgeMs: c.observedAgeMs + sinceMs,
    committedAgeMs: c.committedAgeMs === null ? null : c.committedAgeMs + sinceMs,
  }));
}

/** Settings change once in months: they are sent when they change and with each full report. */
const sameSettings = (before: ProbeRound | undefined, after: ProbeRound): boolean =>
  before !== undefined &&
  JSON.stringify([before.clusterSettings, before.flowSettings]) ===
    JSON.stringify([after.clusterSettings, after.flowSettings]);
