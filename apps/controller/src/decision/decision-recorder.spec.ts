import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AlertType, decide, type Decision, defaultPolicy, sampleSnapshot } from '#failover';
import { createLogger } from '#platform';
import { FakeLeadership } from '../../../../test/fakes/fake-leadership.js';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { type Alert, type AuthorityStore, type GroupRow, newGroupRow } from '../persistence/authority-store.port.js';
import type { Evaluation } from './decision.port.js';
import { DecisionRecorder } from './decision-recorder.js';
import { StoreView } from './store-view.js';

const TTL_MS = 10_000;
const logger = createLogger('test', 'silent');
const group = { name: 'orders', policy: defaultPolicy } as unknown as GroupConfig;
const ROW: GroupRow = {
  ...newGroupRow({ name: 'orders', active: 'a', mode: 'auto' }),
  epoch: 7,
  reservedEpoch: 7,
};

let now: number;
let database: MemoryAuthorityDatabase;
const clock = { monotonicMs: () => now, wallMs: () => 1_795_000_000_000 + now };

/** One controller's recorder with its own reading of the shared store. */
class Controller {
  readonly store: AuthorityStore;
  readonly leadership: FakeLeadership;
  readonly view: StoreView;
  readonly recorder: DecisionRecorder;
  readonly direct: Alert[] = [];
  #before: Evaluation | null = null;

  constructor(readonly id: string) {
    const http = { advertise: id };
    const config = { id, idc: 'a', http, policyDigest: 'd', tickMs: 5, lease: { ttlMs: TTL_MS } };
    const typed = config as unknown as ControllerConfig;
    this.store = database.connect(id);
    this.leadership = new FakeLeadership({ id, advertise: id });
    this.view = new StoreView(this.store, typed, clock, logger);
    const alerting = { nudge: () => undefined, direct: (alert: Alert) => void this.direct.push(alert) };
    this.recorder = new DecisionRecorder(this.store, this.view, this.leadership, alerting, typed, clock, logger);
    this.view.onModuleInit();
  }

  async lead(): Promise<void> {
    const lease = await this.store.acquireLease(await this.store.readLease(), { id: this.id, advertise: this.id });
    if (lease === null) throw new Error('no lease');
    this.leadership.lead(lease.term);
    await this.store.transact(lease.term, this.id, (tx) => tx.saveGroup(ROW));
  }

  /** One tick that finds these alerts due; `row` makes it another decision than the last one. */
  async tick(alerts: readonly AlertType[], row = 410): Promise<void> {
    const base = sampleSnapshot({ now, term: this.leadership.current().term });
    const snapshot = { ...base, group: { ...base.group, epoch: 7 } };
    const decision: Decision = { ...decide(snapshot, defaultPolicy), row, alerts };
    const evaluation = { snapshot, decision };
    this.recorder.record(group, evaluation, this.#before);
    this.#before = evaluation;
    await this.recorder.idle();
  }

  async until(found: () => boolean): Promise<void> {
    await vi.waitFor(() => expect(found()).toBe(true), { timeout: 5_000, interval: 5 });
  }
}

const outbox = async (): Promise<readonly Alert[]> =>
  (await database.connect('observer').pendingAlerts(1_000)).map((row) => row.alert);
const events = async () => await database.connect('observer').lastEvents(1_000, 'orders');

/** Time goes by while the store answers this controller's readings. */
async function pass(ms: number, reader: Controller): Promise<void> {
  now += ms;
  await reader.until(() => (reader.view.ageMs() ?? Infinity) < ms);
}

/** Time goes by while these controllers run and hear nothing of the store. */
function silence(ms: number, ...running: readonly Controller[]): void {
  for (let left = ms; left > 0; left -= 500) {
    now += Math.min(500, left);
    for (const { view } of running) view.silentForMs();
  }
}

let controllers: Controller[];
const controller = (id: string): Controller => {
  const made = new Controller(id);
  controllers.push(made);
  return made;
};

beforeEach(() => {
  now = 1_000_000;
  database = new MemoryAuthorityDatabase();
  controllers = [];
});
afterEach(async () => {
  await Promise.all(controllers.map((c) => c.view.onApplicationShutdown()));
});

describe('with the store', () => {
  it('writes a change and its alerts once, in one transaction, and only as the leader', async () => {
    const [leader, standby] = [controller('ctl-a'), controller('ctl-b')];
    await leader.lead();
    for (let i = 0; i < 3; i++) {
      await leader.tick(['suspected']);
      await standby.tick(['suspected']);
    }
    expect((await outbox()).map((a) => [a.type, a.incident])).toEqual([['suspected', 'orders-7-failover-1']]);
    expect((await events()).map((e) => e.type)).toEqual(['decision', 'alert']);
    expect([...leader.direct, ...standby.direct]).toEqual([]);
  });

  it('does not tell the same incident again after a change of leader, however long it has lasted', async () => {
    const [first, second] = [controller('ctl-a'), controller('ctl-b')];
    await first.lead();
    await first.tick(['suspected']);
    await second.until(() => second.view.knownAlerts().length === 1);
    for (let i = 0; i < 120; i++) {
      await pass(500, second);
      await second.tick(['suspected']);
    }
    first.leadership.follow(null);
    await second.lead();
    await second.tick(['suspected']);
    expect(second.direct).toEqual([]);
    expect(await outbox()).toHaveLength(1);
    expect((await events()).filter((e) => e.type === 'alert')).toHaveLength(1);
    expect(second.recorder.failoverIncident('orders', 7)).toBe('orders-7-failover-1');
  });

  it('writes what waited while the store was away, in order, without anything new having to happen', async () => {
    const leader = controller('ctl-a');
    await leader.lead();
    database.stop();
    await leader.tick(['suspected'], 410);
    await leader.tick(['suspected', 'held'], 405);
    await leader.tick(['suspected', 'held'], 400);
    database.start();
    await leader.tick(['suspected', 'held'], 400);
    const written = (await events()).toSorted((x, y) => x.seq - y.seq);
    expect(written.map((e) => (e.type === 'alert' ? e.summary.split(':')[0] : e.row))).toEqual([
      410,
      'suspected',
      405,
      'held',
      400,
    ]);
    expect(leader.direct).toEqual([]);
  });

  it('keeps no more than a bound: the oldest entry goes by the direct path', async () => {
    const leader = controller('ctl-a');
    await leader.lead();
    database.stop();
    await leader.tick(['suspected'], 1);
    for (let row = 2; row <= 205; row++) await leader.tick(['suspected'], row);
    expect(leader.direct.map((a) => a.type)).toEqual(['suspected']);
    database.start();
    await leader.tick(['suspected'], 205);
    const rows = (await events()).filter((e) => e.type === 'decision').map((e) => e.row ?? 0);
    expect(rows).toHaveLength(200);
    expect(Math.min(...rows)).toBe(6);
  });
});

describe('the end of a story', () => {
  const told = (incident: string, type: Alert['type'], at: string): Alert => ({
    ...{
      id: `${incident}/${type}/${at}`,
      incident,
      type,
      group: 'orders',
      row: null,
      reason: 'told beside the matrix',
    },
    ...{ blockers: [], term: 1, epoch: 7, at },
  });
  const tell = async (leader: Controller, incident: string, type: Alert['type']): Promise<void> => {
    const alert = told(incident, type, new Date(clock.wallMs()).toISOString());
    await leader.store.transact(leader.leadership.current().term, leader.id, (tx) => tx.enqueueAlert(alert));
  };
  /** The matrix finds nothing that is worth an alert. */
  const steadyFor = async (ms: number, leader: Controller): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      await pass(500, leader);
      await leader.tick([], 800);
    }
  };
  const resolved = async () => (await outbox()).filter((a) => a.type === 'resolved').map((a) => a.incident);
  const leading = async (): Promise<Controller> => {
    const leader = controller('ctl-a');
    await leader.lead();
    return leader;
  };

  it('comes for a story without a number of the matrix too', async () => {
    const leader = await leading();
    await tell(leader, 'orders-8-returned', 'old_primary_back');
    await steadyFor(29_000, leader);
    expect(await resolved()).toEqual([]);
    await steadyFor(2_000, leader);
    expect(await resolved()).toEqual(['orders-8-returned']);
    await steadyFor(2_000, leader);
    expect(await resolved()).toHaveLength(1);
    expect(await leader.store.openIncidents(10)).toEqual([]);
  });

  it.each(['01999999-0000-7000-8000-00000000000a', '01999999-0000-7000-8000-000000000001'])(
    'of a schedule that was not begun comes once a person has looked: %s',
    async (schedule) => {
      const leader = await leading();
      const incident = `orders-7-scheduled-${schedule}`;
      await tell(leader, incident, 'needs_operator');
      await steadyFor(31_000, leader);
      expect(await resolved()).toEqual([]);
      await tell(leader, incident, 'acknowledged');
      await steadyFor(1_000, leader);
      expect(await resolved()).toEqual([incident]);
    },
  );

  it('of an old primary that returned has what its survey found, and comes when the matrix tells of it no more', async () => {
    const leader = await leading();
    await leader.tick(['old_primary_back'], 600);
    const incident = leader.recorder.returnIncident('orders', 7);
    expect(incident).toBe((await outbox())[0]?.incident);
    await tell(leader, incident, 'old_primary_back');
    await steadyFor(31_000, leader);
    expect(await resolved()).toEqual([incident]);
    expect(leader.recorder.returnIncident('orders', 7)).not.toBe(incident);
  });

  it('comes again for a story that an order took up after its end', async () => {
    const leader = await leading();
    await leader.tick(['suspected']);
    await steadyFor(31_000, leader);
    const incident = leader.recorder.failoverIncident('orders', 7);
    await tell(leader, incident, 'compensated');
    await steadyFor(2_000, leader);
    expect(await resolved()).toEqual([incident, incident]);
    expect(await leader.store.openIncidents(10)).toEqual([]);
  });
});

describe('with the store down past the lease (I30)', () => {
  async function orphans(): Promise<readonly [Controller, Controller]> {
    const [a, b] = [controller('ctl-a'), controller('ctl-b')];
    await a.lead();
    await Promise.all([a, b].map((c) => c.until(() => c.view.row('orders') !== null)));
    database.stop();
    return [a, b];
  }

  it('each controller alerts by the direct path, once, under one id; the row has it too when the store is back', async () => {
    const [a, b] = await orphans();
    await a.tick(['suspected']); // still the leader: waits for the store
    silence(TTL_MS + 1, a, b);
    a.leadership.follow(null);
    for (let i = 0; i < 3; i++) for (const c of [a, b]) await c.tick(['suspected']);
    expect(a.direct).toHaveLength(1);
    expect(b.direct.map((x) => x.id)).toEqual(a.direct.map((x) => x.id));
    database.start();
    await b.lead();
    await b.tick(['suspected']);
    expect((await outbox()).map((x) => x.id)).toEqual(a.direct.map((x) => x.id));
  });

  it('is quiet as long as the lease may still be held', async () => {
    const [a, b] = await orphans();
    silence(TTL_MS - 1_000, a, b);
    a.leadership.follow(null);
    for (const c of [a, b]) await c.tick(['suspected']);
    expect([...a.direct, ...b.direct]).toEqual([]);
  });

  it('a standby that stood still for longer than the lease pages nobody for it', async () => {
    const [leader, frozen] = [controller('ctl-a'), controller('ctl-b')];
    await leader.lead();
    await frozen.until(() => frozen.view.row('orders') !== null);
    await frozen.tick([]);
    now += 3 * TTL_MS; // nothing ran: the first tick comes before the first reading
    await frozen.tick(['blind']);
    expect(frozen.direct).toEqual([]);
    database.stop();
    silence(TTL_MS + 1, frozen);
    await frozen.tick(['blind']);
    expect(frozen.direct.map((x) => x.type)).toEqual(['blind']);
  });

  it('repeats what was written a moment before the store fell silent, not what the leader had time to deliver', async () => {
    const [a, b] = [controller('ctl-a'), controller('ctl-b')];
    await a.lead();
    await a.tick(['dr_not_ready']);
    await b.until(() => b.view.knownAlerts().length === 1);
    for (let i = 0; i < 80; i++) {
      await pass(500, b);
      for (const c of [a, b]) await c.tick(['dr_not_ready']);
    }
    await a.tick(['dr_not_ready', 'suspected']);
    await b.until(() => b.view.knownAlerts().length === 2 && b.view.ageMs() === 0);
    await b.tick(['dr_not_ready', 'suspected']);
    database.stop();
    silence(TTL_MS + 1, a, b);
    a.leadership.follow(null);
    await b.tick(['dr_not_ready', 'suspected']);
    expect(b.direct.map((x) => x.type)).toEqual(['suspected']);
  });
});
