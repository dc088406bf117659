import {
  goalKey,
  type ClusterGoal,
  type Command,
  type ConnectorFailure,
  type FlowGoal,
  type Goal,
  type GoalStatus,
} from '#failover';
import { FakeRebuild } from './fake-rebuild.js';
import { FakeTail } from './fake-tail.js';

/**
 * Two clusters, their Connect workers and one agent per IDC, as far as a saga can see and touch them: fences, flows, end
 * offsets, group offsets, deaths. Every effect that really happened is counted in `history`.
 */

export type FakeCluster = {
  readonly name: string;
  readonly idc: string;
  alive: boolean;
  /** Brokers hold connections and never answer (SIGSTOP) instead of refusing. */
  frozen: boolean;
  fenced: boolean;
  hasCheckTopic: boolean; // made by the first cluster goal
  ends: Map<string, number>; // topic/partition → end offset
  markers: Map<string, number>; // how many of the last offsets hold no data (commit markers)
  openTransaction: boolean;
  groups: Map<string, Map<string, number>>;
};

export type FakeAgent = { readonly name: string; readonly idc: string; alive: boolean; connected: boolean };

export type Effect = Readonly<{
  atMs: number;
  kind:
    | 'fenced'
    | 'opened'
    | 'flow-stopped'
    | 'flow-started'
    | 'flow-seeded'
    | 'tail-exported'
    | 'tail-replayed'
    | 'topic-deleted'
    | 'topic-made'
    | 'offsets-applied'
    | 'transactions-aborted'
    | 'stale-refused';
  subject: string;
  term: number;
}>;

export class World {
  readonly clusters: Map<string, FakeCluster>;
  readonly agents: FakeAgent[];
  readonly flows = new Map<string, 'running' | 'stopped'>([
    ['a->b', 'running'],
    ['b->a', 'stopped'],
  ]);
  readonly replicated = new Map<string, number>([
    ['orders/0', 94],
    ['orders/1', 41],
  ]);
  /** Per flow: where it goes on, as its worker has stored it. */
  readonly seeds = new Map<string, ReadonlyMap<string, number>>();
  /** N of the other flows, by flow. */
  readonly positions = new Map<string, Map<string, number>>();
  readonly tail = new FakeTail(this);
  readonly rebuild = new FakeRebuild(this);
  readonly history: Effect[] = [];
  readonly goals = new Map<string, Goal>();
  /** Everything that any agent was sent, what it refused too. */
  readonly commands: Command[] = [];
  highestTerm = 0;
  /** Set: what the observers agree on, whatever the truth is. */
  verdictOf = new Map<string, 'UNKNOWN' | 'UP' | 'ALIVE_INSIDE' | 'DEGRADED'>();
  targetFit = true;
  /** The target waits for its rejoin. */
  rejoining = false;
  /** MirrorMaker copies while its flow runs and both sides answer; off, the lag stands still. */
  copies = false;
  /** A fence goal that agents never reach. */
  stuckFence = false;
  /** The clusters offer an ACL fence: one that lets MirrorMaker write on. */
  closable = true;
  /** Its ACLs say by name who reads in consumer groups. */
  tellsReaders = true;
  /** `cluster/group` of consumers that heed no pointer. */
  readonly activeGroups = new Set<string>();
  /** The active cluster answers its own agent only (row 420). */
  insideOnly = false;
  /** The IDC whose every link is cut: inside it all goes on, its agent too, as long as that one is alive. */
  cutIdc: string | null = null;
  /** Strict: agents that close their own cluster without a token for so long; cluster → when the last one was heard. */
  selfFenceAfterMs = 20_000;
  readonly tokens = new Map<string, number>();
  /** Connect workers that take a goal and never get there. */
  stuckFlows = false;
  /** Flows whose connectors fail whenever they run, with what Connect says: `b->a`. */
  readonly failures = new Map<string, readonly ConnectorFailure[]>();
  /** Clusters whose Connect worker is gone (refuses connections) or holds them without an answer. */
  readonly workers = new Map<string, 'refuses' | 'silent'>();

  constructor(readonly nowMs: () => number) {
    this.clusters = new Map([
      ['a', cluster('a', [100, 44])],
      ['b', cluster('b', [95, 42])],
    ]);
    this.clusters.get('b')?.groups.set('billing', new Map([['orders/0', 90]]));
    this.agents = ['a', 'b', 'c'].map((idc) => ({ name: `agent-${idc}`, idc, alive: true, connected: true }));
  }

  cluster(name: string): FakeCluster {
    const found = this.clusters.get(name);
    if (found === undefined) throw new Error(`no cluster ${name} in this world`);
    return found;
  }

  /** kill -9 of everything in an IDC. */
  killIdc(idc: string): void {
    for (const c of this.clusters.values()) if (c.idc === idc) c.alive = false;
    for (const a of this.agents) if (a.idc === idc) a.alive = false;
  }

  /** The brokers die; the IDC's agent lives and sees every one refuse. */
  killCluster(name: string): void {
    this.cluster(name).alive = false;
  }

  revive(name: string): void {
    const c = this.cluster(name);
    c.alive = true;
    c.frozen = false;
    for (const a of this.agents) if (a.idc === c.idc) a.alive = true;
    if (this.cutIdc === c.idc) this.cutIdc = null;
    this.applyGoals();
  }

  /** The cluster's Connect worker comes back with its connectors as they were stored. */
  reviveWorker(name: string): void {
    this.workers.delete(name);
    this.applyGoals();
  }

  answers(name: string): boolean {
    const c = this.cluster(name);
    return c.alive && !c.frozen && c.idc !== this.cutIdc;
  }

  /** A write of a producer inside the cluster's own IDC: what nobody outside a cut sees. */
  acceptsInside(name: string): boolean {
    this.selfFence(name);
    const c = this.cluster(name);
    return c.alive && !c.frozen && !c.fenced;
  }

  /** The lease token of a leader, if it gets through. */
  hearToken(name: string): void {
    const { idc } = this.cluster(name);
    if (idc !== this.cutIdc && this.agents.some((a) => a.idc === idc && a.alive)) this.tokens.set(name, this.nowMs());
  }

  private selfFence(name: string): void {
    const c = this.cluster(name);
    const heardAtMs = this.tokens.get(name);
    const agent = this.agents.find((a) => a.idc === c.idc);
    if (heardAtMs === undefined || agent?.alive !== true || !c.alive || c.fenced) return;
    if (this.nowMs() - heardAtMs <= this.selfFenceAfterMs) return;
    c.fenced = true;
    this.note('fenced', name, 0);
  }

  agentsFor(clusterName: string): readonly FakeAgent[] {
    const { idc } = this.cluster(clusterName);
    const reach = this.agents.filter((a) => a.alive && a.connected && a.idc !== 'c' && a.idc !== this.cutIdc);
    return reach.toSorted((x, y) => Number(y.idc === idc) - Number(x.idc === idc));
  }

  /** Goals as agents take them: a lower term is refused and counted. */
  setGoals(term: number, goals: readonly Goal[]): boolean {
    if (term < this.highestTerm) {
      this.note('stale-refused', `goals of term ${term}`, term);
      return false;
    }
    this.highestTerm = term;
    this.goals.clear();
    for (const goal of goals) this.goals.set(goalKey(goal), goal);
    this.applyGoals();
    return true;
  }

  applyGoals(): void {
    for (const goal of this.goals.values()) {
      if (goal.subject === 'cluster') this.applyFence(goal);
      else this.applyFlow(goal);
    }
  }

  status(key: string): GoalStatus | null {
    const goal = this.goals.get(key);
    if (goal === undefined) return null;
    const observed = this.observed(goal);
    return {
      key,
      wanted: goal.state,
      observed,
      reached: observed === goal.state,
      epoch: goal.epoch,
      term: goal.term,
      ageMs: 0,
      detail: '',
      previous: {},
      ...(observed === 'fenced' ? { kind: this.closable ? ('acl' as const) : ('topic-config' as const) } : {}),
      ...this.refused(goal),
    };
  }

  /** Consumer groups that an agent refuses, where the cluster has ACLs that can tell whom. */
  private refused(goal: Goal): Pick<GoalStatus, 'deniedGroups'> {
    const wanted = goal.subject === 'cluster' && goal.deniedGroups !== undefined && this.closable && this.tellsReaders;
    return wanted ? { deniedGroups: goal.deniedGroups } : {};
  }

  /** Of tests: what goes on in the world between two looks at it. */
  beforeEndsAreRead: () => void = () => undefined;

  /** An ordinary client's write: what a user would see. */
  acceptsWrites(name: string): boolean {
    return this.answers(name) && !this.cluster(name).fenced;
  }

  note(kind: Effect['kind'], subject: string, term: number): void {
    this.history.push({ atMs: this.nowMs(), kind, subject, term });
  }

  effects(kind: Effect['kind'], subject?: string): readonly Effect[] {
    return this.history.filter((e) => e.kind === kind && (subject === undefined || e.subject === subject));
  }

  /** One turn of MirrorMaker: everything but markers is copied. */
  copy(from: string, to: string): void {
    if (!this.copies || this.flows.get(`${from}->${to}`) !== 'running') return;
    if (!this.answers(from) || !this.answers(to) || this.workers.has(to) || this.failures.has(`${from}->${to}`)) return;
    for (const [key, end] of this.cluster(from).ends) {
      const data = end - (this.cluster(from).markers.get(key) ?? 0);
      this.positionsOf(from, to).set(key, data - 1);
      const target = this.cluster(to).ends;
      target.set(key, Math.max(target.get(key) ?? 0, data));
    }
  }

  /** N per partition, as the flow's worker has stored it. */
  positionsOf(from: string, to: string): Map<string, number> {
    const key = `${from}->${to}`;
    if (key === 'a->b') return this.replicated;
    const known = this.positions.get(key) ?? new Map<string, number>();
    this.positions.set(key, known);
    return known;
  }

  private observed(goal: Goal): GoalStatus['observed'] {
    const on = goal.subject === 'cluster' ? goal.cluster : goal.to;
    if (!this.answers(on) || this.agentsFor(on).length === 0) return 'unknown';
    if (goal.subject === 'cluster') return this.cluster(goal.cluster).fenced ? 'fenced' : 'open';
    const worker = this.workers.get(goal.to);
    if (worker !== undefined) return worker === 'refuses' ? 'refused' : 'unknown';
    return this.flows.get(`${goal.from}->${goal.to}`) ?? 'unknown';
  }

  private applyFence(goal: ClusterGoal): void {
    const c = this.cluster(goal.cluster);
    const wanted = goal.state === 'fenced';
    if (!this.answers(goal.cluster) || this.agentsFor(goal.cluster).length === 0) return;
    c.hasCheckTopic = true;
    if (c.fenced === wanted || (wanted && this.stuckFence)) return;
    c.fenced = wanted;
    this.note(wanted ? 'fenced' : 'opened', goal.cluster, goal.term);
  }

  private applyFlow(goal: FlowGoal): void {
    const key = `${goal.from}->${goal.to}`;
    if (this.stuckFlows || this.workers.has(goal.to)) return;
    if (goal.state === 'running' && this.failures.has(key)) return;
    if (!this.answers(goal.to) || this.agentsFor(goal.to).length === 0 || this.flows.get(key) === goal.state) return;
    this.flows.set(key, goal.state);
    this.note(goal.state === 'stopped' ? 'flow-stopped' : 'flow-started', key, goal.term);
  }
}

const cluster = (name: string, ends: readonly number[]): FakeCluster => ({
  name,
  idc: name,
  alive: true,
  frozen: false,
  fenced: false,
  hasCheckTopic: false,
  ends: new Map(ends.map((end, partition) => [`orders/${partition}`, end])),
  markers: new Map(),
  openTransaction: false,
  groups: new Map(),
});
