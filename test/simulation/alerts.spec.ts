import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AlertType,
  decide,
  defaultPolicy,
  INITIAL_MEMORY,
  sampleFlow,
  sampleGroup,
  sampleSnapshot,
  sampleVote,
  sampleVotes,
  type SagaRecord,
  type Snapshot,
} from '#failover';
import { createLogger } from '#platform';
import type { ControllerConfig, GroupConfig } from '../../apps/controller/src/config/compile.js';
import type { Evaluation } from '../../apps/controller/src/decision/decision.port.js';
import { DecisionRecorder } from '../../apps/controller/src/decision/decision-recorder.js';
import type { Alert } from '../../apps/controller/src/persistence/authority-store.port.js';
import { FakeLeadership } from '../fakes/fake-leadership.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { Simulation } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

// Which situation sends which alert: from the tick's snapshot to the outbox, and from a saga's end to the outbox.

const TICK_MS = 500;
const group = { name: 'orders', policy: defaultPolicy } as unknown as GroupConfig;
const config = { id: 'ctl-a', lease: { ttlMs: 10_000 } } as unknown as ControllerConfig;

/** What differs from "all in order" once it has lasted for `forMs`. */
type Situation = (forMs: number) => Partial<Snapshot>;

const onA = (a: Parameters<typeof sampleVotes>[0], forMs: number): Pick<Snapshot, 'votes'> => ({
  votes: { a: sampleVotes(a, forMs), b: sampleVotes({ a: a.a === 'up' ? 'up' : 'stale', b: 'up', c: 'up' }) },
});
const dead: Situation = (forMs) => onA({ a: 'refused', b: 'silent', c: 'silent' }, forMs);
const witnessLost: Situation = (forMs) => {
  const votes = sampleVotes({ a: 'up', b: 'up', c: 'stale' }, forMs);
  return { votes: { a: votes, b: votes } };
};
const IN_ORDER = sampleSnapshot().votes;

/** All rows of the outbox after the situation lasted for `lastingMs`, following 10 s in which all was in order. */
async function outboxAfter(situation: Situation, lastingMs: number): Promise<readonly Alert[]> {
  const database = new MemoryAuthorityDatabase();
  const store = database.connect('ctl-a');
  const leadership = new FakeLeadership({ id: 'ctl-a', advertise: 'ctl-a' });
  const lease = await store.acquireLease(await store.readLease(), { id: 'ctl-a', advertise: 'ctl-a' });
  if (lease === null) throw new Error('no lease');
  leadership.lead(lease.term);
  let now = 1_000_000;
  const clock = { monotonicMs: () => now, wallMs: () => now };
  const view = {
    ageMs: () => 0,
    silentForMs: () => 0,
    revision: () => 0,
    knownIncidents: () => [],
    knownAlerts: () => [],
    openIncidents: () => [],
  };
  const alerting = { nudge: () => undefined, direct: () => undefined };
  const logger = createLogger('test', 'silent');
  const recorder = new DecisionRecorder(store, view, leadership, alerting, config, clock, logger);
  let memory = INITIAL_MEMORY;
  let before: Evaluation | null = null;
  for (let forMs = -10_000; forMs <= lastingMs; forMs += TICK_MS) {
    now += TICK_MS;
    const snapshot = sampleSnapshot({ term: lease.term, ...(forMs < 0 ? {} : situation(forMs)), now, memory });
    const decision = decide(snapshot, defaultPolicy);
    recorder.record(group, { snapshot, decision }, before);
    before = { snapshot, decision };
    memory = decision.nextMemory;
    await recorder.idle();
  }
  return (await store.pendingAlerts(100)).map((row) => row.alert);
}

const types = (alerts: readonly Alert[]): readonly Alert['type'][] => alerts.map((a) => a.type);
const fenced = [{ cluster: 'a', state: 'fenced', kind: 'topic-config', epoch: 1, ageMs: 500 }] as const;
const misconfigured = (): Partial<Snapshot> => ({
  votes: {
    ...IN_ORDER,
    a: { ...IN_ORDER.a, 'agent-b': sampleVote('agent-b', 'abstain', 0, { marks: ['MISCONFIGURED'] }) },
  },
});

describe('each situation has its alert, written once however long it lasts', () => {
  it.each<[string, Situation, number, readonly AlertType[]]>([
    ['all in order', () => ({}), 60_000, []],
    ['the active cluster is dead', dead, 15_000, ['suspected']],
    [
      'the same, and nothing can be published',
      (ms) => ({ ...dead(ms), configCenter: { writableAgeMs: 0, error: 'time-out' } }),
      60_000,
      ['suspected', 'held'],
    ],
    ['its own agent alone says so', (ms) => onA({ a: 'refused', b: 'up', c: 'up' }, ms), 60_000, ['local_fault']],
    ['a link is cut', (ms) => onA({ a: 'up', b: 'silent', c: 'up' }, ms), 60_000, ['link_cut']],
    ['most observers are silent', (ms) => onA({ a: 'stale', b: 'stale', c: 'up' }, ms), 20_000, ['blind']],
    ['brokers are missing', () => onA({ a: 'degraded', b: 'degraded', c: 'degraded' }, 0), 60_000, ['degraded']],
    [
      'an observer is lost, the only witness that the target is fit',
      witnessLost,
      60_000,
      ['observer_lost', 'dr_not_ready'],
    ],
    [
      'nothing can be published, all else in order',
      () => ({ configCenter: { writableAgeMs: 0, error: 'time-out' } }),
      60_000,
      ['dr_not_ready'],
    ],
    ['a certificate or a password is refused', misconfigured, 20_000, ['misconfigured']],
    ['store and center disagree', () => ({ group: sampleGroup({ frozen: 'epoch 9 is foreign' }) }), 60_000, ['frozen']],
    ['the active cluster is fenced by us', () => ({ fences: fenced }), 20_000, ['active_fenced']],
    [
      'the old primary is back',
      () => ({ group: sampleGroup({ active: 'b', rejoin: ['a'] }), flows: [sampleFlow({ from: 'b', to: 'a' })] }),
      60_000,
      ['old_primary_back', 'dr_not_ready'],
    ],
    [
      'a person must decide (mode approve)',
      (ms) => ({ ...dead(ms), group: sampleGroup({ mode: 'approve' }) }),
      60_000,
      ['suspected', 'needs_operator'],
    ],
  ])('%s', async (_name, situation, lastingMs, expected) => {
    const alerts = await outboxAfter(situation, lastingMs);
    expect([...types(alerts)].sort()).toEqual([...expected].sort());
    expect(alerts.every((a) => a.reason.length > 0 && a.incident.startsWith('orders-'))).toBe(true);
  });

  it('a blocked decision alerts at its first tick, naming each blocker and the call that lifts it (I21)', async () => {
    const group = sampleGroup({ lastPublishedAuto: { ageMs: 60_000, acknowledged: false } });
    const [, held] = await outboxAfter((ms) => ({ ...dead(ms), group }), 0);
    expect(held).toMatchObject({
      type: 'held',
      row: 400,
      blockers: [{ name: 'COOLDOWN', liftedBy: 'pointsman ack orders --reason "…", or time' }],
    });
  });

  it('is sent again when other blockers stand in the way', async () => {
    const other = { configCenter: { writableAgeMs: 0, error: 'time-out' } };
    const drift = { policyDigests: { x: '1', y: '2' } };
    const alerts = await outboxAfter((ms) => ({ ...dead(ms), ...(ms < 10_000 ? other : drift) }), 20_000);
    expect(alerts.filter((a) => a.type === 'held').map((a) => a.blockers.map((b) => b.name))).toEqual([
      ['NOT_PUBLISHABLE'],
      ['CONFIG_DRIFT'],
    ]);
  });

  it('a frozen group names the reason and the call that lifts it (I3)', async () => {
    const [frozen] = await outboxAfter(() => ({ group: sampleGroup({ frozen: 'epoch 9 is foreign' }) }), 0);
    expect(frozen?.reason).toContain('epoch 9 is foreign');
    expect(frozen?.blockers).toEqual([{ name: 'FROZEN', liftedBy: 'pointsman ack orders --reason "…"' }]);
  });
});

describe('each end of a saga has its alert', () => {
  let time: VirtualTime;
  let sim: Simulation;
  beforeEach(async () => {
    time = new VirtualTime();
    const database = new MemoryAuthorityDatabase();
    sim = new Simulation({ time, openStore: (client) => database.connect(client) });
    await sim.createGroup();
  });

  it.each<[SagaRecord['outcome'], string, () => void, readonly AlertType[]]>([
    ['DONE', 'all goes well', () => undefined, ['acting', 'completed']],
    [
      'DONE_WITH_DEBT',
      'the target breaks after publish',
      () => sim.on('after', 'publish', () => sim.world.killCluster('b')),
      ['acting', 'completed'],
    ],
    [
      'RECOVERED',
      'the source answers again',
      () => sim.on('before', 'stop-replication', () => sim.world.revive('a')),
      ['acting', 'compensated'],
    ],
    [
      'FAILED',
      'the target dies before publish',
      () => sim.on('before', 'set-offsets', () => sim.world.killCluster('b')),
      ['acting', 'compensated'],
    ],
    ['ABORTED', 'nothing can be published', () => (sim.center.refuseWrites = true), ['compensated']],
    [
      'NEEDS_OPERATOR',
      'the center falls silent',
      () => sim.on('before', 'check-target', () => sim.center.stop()),
      ['acting', 'needs_operator'],
    ],
  ])('%s: %s', async (outcome, _name, arrange, expected) => {
    const leader = sim.controller('ctl-b');
    await sim.acquire(leader);
    sim.world.killIdc('a');
    arrange();
    await sim.tick(leader);
    await time.runUntil(() => leader.runner.open('orders') === null, 900_000);
    expect((await sim.sagas())[0]?.outcome).toBe(outcome);
    const alerts = (await sim.observer.pendingAlerts(20)).map((row) => row.alert);
    expect(types(alerts)).toEqual(expected);
    expect(new Set(alerts.map((a) => a.incident)).size).toBe(1);
  });
});
