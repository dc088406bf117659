import type { Verdict, VerdictName, Vote } from '#health';
import {
  INITIAL_MEMORY,
  REJOINING,
  sampleFields,
  type Decision,
  type FlowFacts,
  type GroupFacts,
  type Snapshot,
} from '#failover';
import type { Decisions, Evaluation } from '../../apps/controller/src/decision/decision.port.js';
import { proposalFacts, scheduledFacts } from '../../apps/controller/src/decision/group-facts.js';
import type { GroupRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import type { SagaTime } from '../../apps/controller/src/saga/saga-time.js';
import type { World } from '../fakes/world.js';

/** Long enough to be STALE, and no longer than the cluster itself has been silent. */
const SILENT_MS = 8_000;

/** What observers would say of a {@link World}, and the decision that follows when the active cluster is down. */
export class FakeDecisions implements Decisions {
  constructor(
    private readonly world: World,
    private readonly time: SagaTime,
    private readonly group: () => GroupRow,
    private readonly term: () => number,
    private readonly ledSince: () => number,
  ) {}

  latest(): Evaluation {
    return this.evaluate();
  }

  failoverIncident(group: string): string {
    return `${group}-failover-1`;
  }

  returnIncident(group: string): string {
    return `${group}-old_primary_back-1`;
  }

  evaluate(): Evaluation {
    const row = this.group();
    const snapshot = this.snapshot(row);
    const verdict = this.verdict(row.active);
    const target = row.active === 'a' ? 'b' : 'a';
    const wanted = row.mode === 'approve' || verdict === 'DEGRADED' ? ('propose' as const) : ('failover' as const);
    const acting =
      verdict === 'DEGRADED' ||
      verdict === 'DOWN_ATTESTED' ||
      verdict === 'DOWN_ISOLATED' ||
      verdict === 'ALIVE_INSIDE';
    const reasons = [
      ...(this.world.rejoining && row.active === 'a' ? [REJOINING] : []),
      ...(this.world.targetFit && this.world.answers(target) ? [] : [`${target} does not answer`]),
    ];
    const fit = reasons.length === 0;
    const decision: Decision = {
      gate: [],
      row: ROWS[verdict] ?? (acting ? 400 : 800),
      name: acting ? 'AttestedDeath' : 'Steady',
      state: acting ? `${row.active} is dead` : 'calm',
      action: acting && fit ? wanted : 'none',
      wouldDo: acting ? wanted : 'none',
      alerts: [],
      also: [],
      reasons: [],
      blockers: [],
      window: acting
        ? { startedAtMs: snapshot.now - 8_000, lengthMs: 8_000, fillMs: 8_000, dueInMs: 0, complete: true }
        : null,
      target,
      targetFit: { fit, reasons },
      verdicts: { [row.active]: asVerdict(verdict), [target]: asVerdict(fit ? 'UP' : 'DOWN_ATTESTED') },
      loss: { knownRecords: 7, estimatedRecords: 12, atLeast: false },
      nextMemory: INITIAL_MEMORY,
    };
    return { snapshot, decision };
  }

  private verdict(cluster: string): VerdictName {
    const said = this.world.verdictOf.get(cluster);
    if (said !== undefined) return said;
    if (this.world.answers(cluster)) return 'UP';
    const own = this.world.agents.find((a) => a.idc === this.world.cluster(cluster).idc);
    return own?.alive && own.idc !== this.world.cutIdc ? 'DOWN_ATTESTED' : 'DOWN_ISOLATED';
  }

  private snapshot(row: GroupRow): Snapshot {
    const clusters = [...this.world.clusters.values()];
    const standby = row.active === 'a' ? 'b' : 'a';
    const connector = this.world.flows.get(`${row.active}->${standby}`) === 'running' ? 'RUNNING' : 'STOPPED';
    const serving = ['UP', 'DEGRADED'].includes(this.verdict(row.active));
    return {
      now: this.time.monotonicMs(),
      wallNow: this.time.wallMs(),
      leading: true,
      term: this.term(),
      graceOver: true,
      group: {
        ...facts(row, this.time.wallMs()),
        armed: Object.fromEntries([...this.world.tokens.keys()].map((c) => [c, true])),
      },
      observers: this.world.agents.map((a) => ({
        agent: a.name,
        idc: a.idc,
        ageMs: this.silent(a) ? SILENT_MS : 100,
        selfHealthy: true,
        goodbyeAgeMs: null,
      })),
      votes: Object.fromEntries(clusters.map((c) => [c.name, this.votes(c.name)])),
      flows: [
        {
          from: row.active,
          to: standby,
          lagRecords: 7,
          lagMs: 100,
          heartbeatAgeMs: 100,
          observedAgeMs: serving ? 200 : 9_000, // the last one from before the outage
          sourceConnector: connector,
          checkpointConnector: connector,
          perPartition: [
            {
              topic: 'orders',
              partition: 0,
              sourceEnd: 100,
              replicated: 95,
              sourceEndAgeMs: 900,
              replicatedAgeMs: 900,
            },
            {
              topic: 'orders',
              partition: 1,
              sourceEnd: 44,
              replicated: 42,
              sourceEndAgeMs: 900.4,
              replicatedAgeMs: 900,
            },
          ],
          ...this.failures('a->b'),
        },
        ...(this.world.failures.has('b->a') ? [{ ...idleFlow('b', 'a'), ...this.failures('b->a') }] : []),
      ],
      fences: clusters.map((c) => ({
        cluster: c.name,
        state: this.world.answers(c.name) ? (c.fenced ? ('fenced' as const) : ('open' as const)) : ('unknown' as const),
        kind: null,
        epoch: null,
        ageMs: 0,
      })),
      clusterSettings: Object.fromEntries(clusters.map((c) => [c.name, offers(this.world.closable)])),
      flowSettings: [],
      configCenter: { writableAgeMs: 100, error: null },
      policyDigests: {},
      placement: { storeSurvives: ['a', 'b', 'c'], configCenterSurvives: ['a', 'b', 'c'] },
      probe: { periodMs: 500, timeoutMs: 1_000 },
      selfFence: this.selfFence(),
      memory: INITIAL_MEMORY,
    };
  }

  private failures(flow: string): Pick<FlowFacts, 'failures'> {
    const failures = this.world.failures.get(flow);
    return failures === undefined ? {} : { failures };
  }

  private silent(agent: Readonly<{ alive: boolean; idc: string }>): boolean {
    return !agent.alive || agent.idc === this.world.cutIdc;
  }

  /** What the leader knows: its own tokens since its take-over, and what the agents said last. */
  private selfFence(): NonNullable<Snapshot['selfFence']> {
    const now = this.time.monotonicMs();
    return Object.fromEntries(
      [...this.world.tokens].map(([c, atMs]) => [
        c,
        { tokenAgeMs: now - Math.max(atMs, this.ledSince()), applyMs: 1_000 },
      ]),
    );
  }

  private votes(cluster: string): Readonly<Record<string, Vote>> {
    const c = this.world.cluster(cluster);
    const up = this.world.answers(cluster);
    return Object.fromEntries(
      this.world.agents.map((a) => {
        const hidden = this.world.insideOnly && cluster === 'a' && a.idc !== c.idc;
        const state = this.silent(a) ? 'STALE' : up && !hidden ? 'UP' : 'DOWN';
        const vote: Vote = {
          agent: a.name,
          state,
          kind: state === 'DOWN' ? 'UNREACHABLE' : null,
          everyBrokerRefused: state === 'DOWN' && a.idc === c.idc && !c.frozen,
          marks: [],
          reasons: [],
          ageMs: 100,
          failingForMs: state === 'DOWN' ? 8_000 : 0,
          refusedForMs: state === 'DOWN' && !c.frozen ? 8_000 : 0,
          lastAnsweredAgeMs: 8_100,
          fields: state === 'UP' ? sampleFields() : null,
        };
        return [a.name, vote];
      }),
    );
  }
}

const idleFlow = (from: string, to: string): FlowFacts => ({
  ...{ from, to, lagRecords: null, lagMs: null, heartbeatAgeMs: null, observedAgeMs: null },
  ...{ sourceConnector: 'STOPPED', checkpointConnector: 'STOPPED', perPartition: [] },
});

const ROWS: Partial<Record<VerdictName, number>> = { ALIVE_INSIDE: 420, DEGRADED: 510 };

const offers = (closable: boolean): Snapshot['clusterSettings'][string] => ({
  brokerSessionTimeoutMs: null,
  electionTimeoutMs: null,
  fencing: {
    authorizer: closable,
    denyByDefault: closable,
    agentIsSuperUser: true,
    writers: [],
    offers: [{ kind: 'acl', usable: closable, reason: closable ? 'authorizer found' : 'no authorizer' }],
  },
});

const asVerdict = (name: VerdictName): Verdict => ({ name, fresh: [], own: null, witnesses: [], cutPairs: [] });

const facts = (row: GroupRow, wallMs: number): GroupFacts => ({
  name: row.name,
  clusters: [
    { name: 'a', idc: 'a' },
    { name: 'b', idc: 'b' },
  ],
  active: row.active,
  epoch: row.epoch,
  mode: row.mode,
  modeChangedAgeMs: null,
  pause: null,
  unpausedAgeMs: null,
  frozen: row.frozen,
  openSaga: null,
  lastPublishedAuto: null,
  lastPublishedSagaAgeMs: null,
  lastUnpublishedClose: null,
  flapsAcknowledgedAgeMs: null,
  lossAcceptance: null,
  rejoin: row.rejoin,
  armed: {},
  proposal: row.proposal === null ? null : proposalFacts(row.proposal, wallMs),
  scheduled: row.scheduled === null ? null : scheduledFacts(row.scheduled, wallMs),
});
