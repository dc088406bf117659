import { Inject, Injectable } from '@nestjs/common';
import {
  type AgentId,
  ageReport,
  type ClusterName,
  type IdcName,
  mergeIdcVotes,
  type Ms,
  type Observer,
  staleAfterMs,
  type Vote,
} from '#health';
import {
  type ClusterSettings,
  type FenceFacts,
  type FlowFacts,
  type FlowSettings,
  type GoalStatus,
  INITIAL_MEMORY,
  type Memory,
  type Snapshot,
} from '#failover';
import { CLOCK, type Clock } from '#platform';
import type { SelfFenceUpdate } from '#rpc';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { unknownFlow } from './flow-record.js';
import { LeaseTokens } from './lease-tokens.js';
import { type AgentRecord, fenceKey, flowKey, ObservationBook } from './observation-book.js';
import { OBSERVATION_OPTIONS, type ObservationOptions, type ObservedGroup } from './observation.options.js';
import { GROUP_FACTS_SOURCE, type GroupFactsSource, type SnapshotSource } from './observation.port.js';

/** The agents of one IDC: together one observer, named after the first of them. */
type Idc = Readonly<{ idc: IdcName; name: AgentId; records: readonly AgentRecord[] }>;

/** Ages everything that agents have said to one instant. Pure but for reading the clock once per snapshot. */
@Injectable()
export class SnapshotBuilder implements SnapshotSource {
  private readonly idcs: readonly Idc[];
  private readonly startedAtMs: Ms;
  private readonly groups: ReadonlyMap<string, ObservedGroup>;

  constructor(
    @Inject(OBSERVATION_OPTIONS) private readonly options: ObservationOptions,
    @Inject(ObservationBook) book: ObservationBook,
    @Inject(GROUP_FACTS_SOURCE) private readonly source: GroupFactsSource,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(LeaseTokens) private readonly tokens: LeaseTokens,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.startedAtMs = clock.monotonicMs();
    this.groups = new Map(options.groups.map((g) => [g.watch.name, g]));
    this.idcs = byIdc(options, book);
  }

  build(groupName: string, memory: Memory | null): Snapshot {
    const group = this.groups.get(groupName);
    if (group === undefined) throw new Error(`group ${groupName} is not configured`);
    const now = wholeMs(this.clock);
    const { leading, term } = this.leadership.current();
    const { watch, placement } = group;
    const armed = watch.clusters.map((c) => [c, this.armed(groupName, c)] as const);
    return {
      now,
      wallNow: this.clock.wallMs(),
      leading,
      term,
      graceOver: this.graceOver(now),
      group: { ...this.source.facts(groupName), armed: Object.fromEntries(armed.map(([c, a]) => [c, a !== null])) },
      observers: this.idcs.map((idc) => observer(idc, now)),
      votes: Object.fromEntries(watch.clusters.map((cluster) => [cluster, this.votes(cluster, now)])),
      flows: watch.flows.map(({ from, to, naming, dedicated }) => ({
        ...this.flow(watch.name, from, to, now),
        naming,
        ...(dedicated === true ? { dedicated } : {}),
      })),
      fences: watch.clusters.map((cluster) => this.fence(watch.name, cluster, now)),
      clusterSettings: Object.fromEntries(watch.clusters.map((cluster) => [cluster, this.settings(cluster)])),
      flowSettings: watch.flows.map((f) => this.flowSettings(watch.name, f.from, f.to)),
      configCenter: this.source.configCenter(groupName),
      policyDigests: this.source.policyDigests(),
      placement,
      probe: this.options.probe,
      selfFence: Object.fromEntries(
        armed.map(([c, a]) => [c, { tokenAgeMs: this.tokens.ageMs(groupName, c, now), applyMs: a?.applyMs ?? null }]),
      ),
      memory: memory ?? INITIAL_MEMORY,
    };
  }

  /** Every expected observer was heard by this process, or the grace has passed since it first listened. */
  graceOver(now: Ms): boolean {
    if (now - this.startedAtMs >= staleAfterMs(this.options.probe)) return true;
    return this.idcs.every((idc) => idc.records.some((r) => r.reportAtMs !== null));
  }

  private votes(cluster: ClusterName, now: Ms): Readonly<Record<AgentId, Vote>> {
    const { probe } = this.options;
    return Object.fromEntries(
      this.idcs.map((idc) => {
        const votes = idc.records.map((r) => {
          const known = r.clusters.get(cluster);
          return ageReport(r.agent, known?.value ?? null, known === undefined ? null : now - known.atMs, probe);
        });
        return [idc.name, { ...mergeIdcVotes(votes), agent: idc.name }];
      }),
    );
  }

  /** The agent beside the target sees the copy itself and the worker; another one's view is used while that is stale. */
  private flow(group: string, from: ClusterName, to: ClusterName, now: Ms): FlowFacts {
    const key = flowKey(group, from, to);
    const own = this.idcOf(to);
    const known = this.ranked(to).flatMap((record) => {
      const flow = record.flows.get(key);
      return flow === undefined
        ? []
        : [{ flow, isOwn: own?.records.includes(record) === true, ageMs: flow.ageMs(now) }];
    });
    const freshForMs = staleAfterMs(this.options.probe);
    const best = known.find((k) => k.isOwn && k.ageMs <= freshForMs) ?? known.toSorted((x, y) => x.ageMs - y.ageMs)[0];
    return best === undefined ? unknownFlow(from, to) : best.flow.facts(now);
  }

  /** What was read back for a goal says more than the probe's slow look; the youngest of both, the own agent first. */
  private fence(group: string, cluster: ClusterName, now: Ms): FenceFacts {
    const key = fenceKey(group, cluster);
    const seen = this.ranked(cluster).flatMap((record) => {
      const found: FenceFacts[] = [];
      const status = record.statuses.get(key);
      if (status !== undefined && status.value.observed !== 'unknown') {
        found.push(fromStatus(cluster, status.value, now - status.atMs));
      }
      const fence = record.fences.get(key);
      if (fence !== undefined && fence.value.state !== 'unknown') {
        found.push({ ...fence.value, ageMs: fence.value.ageMs === null ? null : fence.value.ageMs + now - fence.atMs });
      }
      return found;
    });
    const youngest = seen.toSorted((x, y) => (x.ageMs ?? Infinity) - (y.ageMs ?? Infinity))[0];
    return youngest ?? { cluster, state: 'unknown', kind: null, epoch: null, ageMs: null };
  }

  /** The newest report out of the cluster's own IDC, and only that one: null when it does not say so. */
  private armed(group: string, cluster: ClusterName): SelfFenceUpdate | null {
    const heard = (this.idcOf(cluster)?.records ?? []).filter((r) => r.reportAtMs !== null);
    const newest = heard.toSorted((x, y) => (y.reportAtMs ?? 0) - (x.reportAtMs ?? 0))[0];
    const fence = newest?.selfFences.get(fenceKey(group, cluster));
    return fence?.armed === true ? fence : null;
  }

  private settings(cluster: ClusterName): ClusterSettings {
    for (const record of this.ranked(cluster)) {
      const known = record.clusterSettings.get(cluster);
      if (known !== undefined) return known.value;
    }
    return { brokerSessionTimeoutMs: null, electionTimeoutMs: null };
  }

  private flowSettings(group: string, from: ClusterName, to: ClusterName): FlowSettings {
    for (const record of this.ranked(to)) {
      const known = record.flowSettings.get(flowKey(group, from, to));
      if (known !== undefined) return known.value;
    }
    return { from, to, syncsTopicAcls: null, excludesMaxMessageBytes: null, foreignTopics: [] };
  }

  private idcOf(cluster: ClusterName): Idc | undefined {
    const idc = this.options.clusters.find((c) => c.name === cluster)?.idc;
    return this.idcs.find((i) => i.idc === idc);
  }

  /** All agents, those of the cluster's own IDC first. */
  private ranked(cluster: ClusterName): readonly AgentRecord[] {
    const own = this.idcOf(cluster);
    const rest = this.idcs.filter((i) => i !== own).flatMap((i) => i.records);
    return [...(own?.records ?? []), ...rest];
  }
}

/** Whole milliseconds, so that every age is one: a fraction of a millisecond helps nobody and fits no integer column. */
export const wholeMs = (clock: Pick<Clock, 'monotonicMs'>): Ms => Math.floor(clock.monotonicMs());

function byIdc(options: ObservationOptions, book: ObservationBook): Idc[] {
  const idcs = new Map<IdcName, AgentRecord[]>();
  for (const { agent, idc } of options.observers) {
    const record = book.agent(agent);
    if (record !== null) idcs.set(idc, [...(idcs.get(idc) ?? []), record]);
  }
  return [...idcs].flatMap(([idc, records]) =>
    records[0] === undefined ? [] : [{ idc, name: records[0].agent, records }],
  );
}

/** A goodbye of one of two agents says nothing while the other one speaks; once both are silent it is no evidence of death. */
function observer({ idc, name, records }: Idc, now: Ms): Observer {
  const heard = records.map((r) => r.reportAtMs).filter((at) => at !== null);
  const newestAtMs = heard.length === 0 ? null : Math.max(...heard);
  const speaker = records.find((r) => r.reportAtMs === newestAtMs && newestAtMs !== null);
  const goodbyes = records.map((r) => r.goodbyeAtMs).filter((at) => at !== null);
  const stillSpeaks = speaker !== undefined && speaker.goodbyeAtMs === null && records.length > 1;
  return {
    agent: name,
    idc,
    ageMs: newestAtMs === null ? null : now - newestAtMs,
    selfHealthy: speaker?.self.healthy ?? false,
    goodbyeAgeMs:
      goodbyes.length === 0 || (stillSpeaks && goodbyes.length < records.length) ? null : now - Math.max(...goodbyes),
  };
}

const fromStatus = (
  cluster: ClusterName,
  status: Pick<GoalStatus, 'observed' | 'epoch' | 'ageMs' | 'kind'>,
  sinceMs: Ms,
): FenceFacts => {
  const state =
    status.observed === 'fenced' ||
    status.observed === 'open' ||
    status.observed === 'partial' ||
    status.observed === 'foreign'
      ? status.observed
      : 'unknown';
  return {
    cluster,
    state,
    kind: state === 'fenced' || state === 'partial' ? (status.kind ?? 'topic-config') : null,
    epoch: status.epoch,
    ageMs: status.ageMs + sinceMs,
  };
};
