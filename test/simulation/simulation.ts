import { MemoryConfigCenterServer } from '#testing';
import { defaultPolicy, type SagaRecord, type StepName } from '#failover';
import type { ConfigCenter, Pointer } from '#config-center';
import {
  type AuthorityStore,
  type GroupRow,
  newGroupRow,
} from '../../apps/controller/src/persistence/authority-store.port.js';
import { PublishingService } from '../../apps/controller/src/publishing/publishing-service.js';
import { noCrash, type CrashPoint } from '../../apps/controller/src/saga/crash-point.js';
import type { HookAnswer } from '../../apps/controller/src/saga/pre-hook.js';
import { SAGA_TIMES, type SagaGroup, type SagaTimes } from '../../apps/controller/src/saga/saga-options.js';
import type { PlannedAnswer, PlannedAsk } from '../../apps/controller/src/saga/planned-ask.js';
import { SagaRunner } from '../../apps/controller/src/saga/saga-runner.js';
import type { SagaTime } from '../../apps/controller/src/saga/saga-time.js';
import { FakeAgentGateway } from '../fakes/agent-gateway.js';
import { World } from '../fakes/world.js';
import { FakeDecisions } from './fake-decisions.js';
import { FakeLeadership } from './fake-leadership.js';
import { bindTo, gated } from './gated.js';

export const GROUP: SagaGroup = {
  name: 'orders',
  clusters: [
    { name: 'a', idc: 'a', bootstrapServers: ['a:9092'] },
    { name: 'b', idc: 'b', bootstrapServers: ['b:9092'] },
  ],
  watch: {
    name: 'orders',
    clusters: ['a', 'b'],
    topics: ['orders'],
    consumerGroups: ['billing', 'shipping'],
    principals: [],
    flows: [
      {
        from: 'a',
        to: 'b',
        naming: 'identity',
        connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
      },
      {
        from: 'b',
        to: 'a',
        naming: 'identity',
        connectors: { source: 'b-a-src', checkpoint: 'b-a-cp', heartbeat: 'b-a-hb' },
      },
    ],
  },
  policy: defaultPolicy,
  preSwitchover: [{ name: 'change-board', run: { url: 'http://127.0.0.1/' }, timeoutMs: 1_000 }],
};

/** Limits a call as the real one does, on the simulation's own clock. */
export const limitOn =
  (time: SagaTime) =>
  <T>(promise: Promise<T>, ms: number, what: string): Promise<T> =>
    new Promise((resolve, reject) => {
      const { signal, stop } = time.deadline(ms);
      signal.addEventListener('abort', () => reject(new Error(`${what}: no answer within ${ms} ms`)), { once: true });
      promise.then(resolve, reject).finally(stop);
    });

export type SimController = Readonly<{
  id: string;
  leadership: FakeLeadership;
  runner: SagaRunner;
  store: AuthorityStore;
  decisions: FakeDecisions;
  publishing: PublishingService;
  log: string[];
  /** Stands still like a process under SIGSTOP: calls neither leave nor return until thawed. */
  freeze(): void;
  thaw(): void;
}>;

export type SimulationOptions = Readonly<{
  time: SagaTime;
  openStore: (client: string) => AuthorityStore;
  times?: Partial<SagaTimes>;
  policy?: Partial<SagaGroup['policy']>;
}>;

/** Some controllers over one store, one config center and one world. */
export class Simulation {
  readonly center = new MemoryConfigCenterServer();
  readonly world: World;
  readonly observer: AuthorityStore;
  readonly published: Pointer[] = [];
  /** What every pre-hook answers. */
  hookAnswer: HookAnswer = { go: true, said: 'fine' };
  /** What left by other ways than store and agents: calls that write to the config center, pre-hooks, alerts past the outbox. */
  readonly calls: string[] = [];
  private readonly controllers: Readonly<{ runner: SagaRunner; publishing: PublishingService }>[] = [];
  /** When the newest leader took over. */
  private ledSinceMs = 0;
  /** Publications of the target while a producer inside the old side could still write there: I27 forbids them where strict. */
  readonly publishedWhileOpen: number[] = [];
  private row: GroupRow | null = null;
  private loseAnswer: (() => void) | null = null;
  private readonly hooks = new Map<string, () => void>();

  constructor(readonly options: SimulationOptions) {
    this.world = new World(() => options.time.monotonicMs());
    this.observer = options.openStore('observer');
  }

  /** The group as its creation leaves it: epoch 1, cluster a active. */
  async createGroup(): Promise<void> {
    const first = this.controller('founder');
    const term = await this.acquire(first);
    const row = { ...newGroupRow({ name: 'orders', active: 'a', mode: 'auto' }), epoch: 1, reservedEpoch: 1 };
    await first.store.transact(term, first.id, (tx) => tx.saveGroup(row));
    await first.publishing.claim('orders', term);
    const pointer: Pointer = {
      version: 1,
      group: 'orders',
      activeCluster: 'a',
      mode: 'ACTIVE',
      epoch: 1,
      term,
      sagaId: null,
      bootstrapServers: ['a:9092'],
      publishedAt: '2026-11-20T13:00:00Z',
    };
    await first.publishing.publish(pointer, { expectedEpoch: 0, term });
    first.leadership.lost();
    await this.refresh();
  }

  controller(
    id: string,
    more: Readonly<{ crash?: CrashPoint; store?: (s: AuthorityStore) => AuthorityStore }> = {},
  ): SimController {
    const { time, times } = this.options;
    let gate: Promise<void> = Promise.resolve();
    let open: () => void = () => undefined;
    const leadership = new FakeLeadership(id);
    const held = <T extends object>(target: T): T => gated(target, () => gate);
    const store = held((more.store ?? ((s) => s))(this.options.openStore(id)));
    const center: ConfigCenter = held(this.recording(this.center.open()));
    const centers = new Map([['main', center]]);
    const log: string[] = [];
    const logger = {
      info: (_: object, m: string) => void log.push(m),
      warn: (_: object, m: string) => void log.push(m),
      error: (f: object, m: string) => void log.push(`${m} ${'error' in f ? String(f.error) : ''}`),
    };
    const publishing = new PublishingService(centers, leadership, { ...bound(time), limit: limitOn(time) }, logger, {
      controller: id,
      groups: [{ name: 'orders', publishTo: ['main'] }],
      canaryMs: 10_000,
      callMs: 2_000,
      follower: { attempts: 3, retryMs: 1_000 },
    });
    const decisions = new FakeDecisions(
      this.world,
      time,
      () => this.groupRow(),
      () => leadership.term,
      () => this.ledSinceMs,
    );
    const runner = new SagaRunner(
      {
        store,
        publishing,
        gateway: held(new FakeAgentGateway(this.world)),
        decisions,
        alerting: { nudge: () => undefined, direct: ({ type }) => void this.calls.push(`alert ${type}`) },
        time,
        crash: (when, step) => {
          const hook = this.hooks.get(`${when}:${step}`);
          this.hooks.delete(`${when}:${step}`);
          hook?.();
          return (more.crash ?? noCrash)(when, step);
        },
        times: { ...SAGA_TIMES, ...times },
        runHook: async ({ name }) => {
          this.calls.push(`pre-hook ${name}`);
          return this.hookAnswer;
        },
        leadership,
        log: logger,
      },
      {
        groups: [{ ...GROUP, policy: { ...GROUP.policy, ...this.options.policy } }],
        times: { ...SAGA_TIMES, ...times },
        controller: id,
        crashPoint: null,
      },
    );
    runner.begin();
    this.controllers.push({ runner, publishing });
    return {
      ...{ id, leadership, runner, store, decisions, publishing, log },
      freeze: () => {
        gate = new Promise((resolve) => {
          open = resolve;
        });
      },
      thaw: () => open(),
    };
  }

  /** Takes the lease over whoever holds it, as after its ttl; the old leader is not told. */
  async acquire(controller: SimController): Promise<number> {
    const seen = await this.observer.readLease();
    const lease = await this.observer.acquireLease(seen, { id: controller.id, advertise: controller.id });
    if (lease === null) throw new Error('the lease was taken by another candidate');
    this.ledSinceMs = this.options.time.monotonicMs();
    controller.leadership.won(lease.term);
    return lease.term;
  }

  /** One acting tick of the leader: starts a failover if the active cluster is down. */
  async tick(controller: SimController): Promise<void> {
    await this.refresh();
    const { snapshot, decision } = controller.decisions.evaluate();
    if (decision.action === 'failover') await controller.runner.start(snapshot, decision);
  }

  /** A person asks for a planned switch to b. */
  async request(controller: SimController, more: Partial<PlannedAsk['request']> = {}): Promise<PlannedAnswer | null> {
    await this.refresh();
    const request = { by: 'operator:ann', reason: 'broker upgrade', acceptUnfencedSource: false, ...more };
    const ask: PlannedAsk = { kind: 'switchover', group: 'orders', target: 'b', request };
    return await controller.runner.request(ask, async () => undefined);
  }

  /** Something happens in the world right before or after the effect of a step; once. */
  on(when: 'before' | 'after', step: StepName, act: () => void): void {
    this.hooks.set(`${when}:${step}`, act);
  }

  /** The next publication arrives and its answer does not; `then` runs at that instant. */
  loseAnswerOfPublish(then: () => void): void {
    this.loseAnswer = then;
  }

  get fencing(): 'best-effort' | 'strict' {
    return this.options.policy?.fencing ?? GROUP.policy.fencing;
  }

  async sagas(): Promise<readonly SagaRecord[]> {
    return await this.observer.sagas('orders', 10);
  }

  async refresh(): Promise<void> {
    this.row = (await this.observer.groups())[0] ?? null;
  }

  /** Ends every controller: nothing of one case may run into the next. */
  async close(): Promise<void> {
    await Promise.all(this.controllers.flatMap((c) => [c.runner.end(), c.publishing.end()]));
  }

  pointer(): Pointer {
    const { current } = this.center.get('orders');
    if (current === null) throw new Error('no pointer');
    return current;
  }

  groupRow(): GroupRow {
    if (this.row === null) throw new Error('createGroup() first');
    return this.row;
  }

  private recording(center: ConfigCenter): ConfigCenter {
    const publish: ConfigCenter['publish'] = async (pointer, guard) => {
      const result = await center.publish(pointer, guard);
      if (result.ok) {
        this.published.push(pointer);
        if (pointer.activeCluster === 'b' && this.world.acceptsInside('a')) this.publishedWhileOpen.push(pointer.epoch);
      }
      if (this.loseAnswer !== null) {
        this.loseAnswer();
        this.loseAnswer = null;
        throw new Error('the connection broke before the answer came');
      }
      return result;
    };
    return new Proxy(center, {
      get: (target, key) => {
        if (CENTER_WRITES.has(key)) this.calls.push(`config center ${String(key)}`);
        return key === 'publish' ? publish : bindTo(target, key);
      },
    });
  }
}

const CENTER_WRITES: ReadonlySet<string | symbol> = new Set<keyof ConfigCenter>([
  'claim',
  'publish',
  'canary',
  'prepare',
]);

const bound = (time: SagaTime): Pick<SagaTime, 'monotonicMs' | 'sleep'> => ({
  monotonicMs: () => time.monotonicMs(),
  sleep: (ms, signal) => time.sleep(ms, signal),
});
