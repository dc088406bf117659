import { type ClusterName, type ClusterReport, type IdcName, type Ms, staleAfterMs } from '#health';
import { INITIAL_MEMORY, type Memory, type Mode } from '../matrix/facts.js';
import { type AgentModel, type Delivery, newAgent, probeRound, probes, settingsOf, withState } from './agent-model.js';
import { sampleGroup } from './sample-snapshot.js';
import type { LagChange, Phase, Scenario } from './scenario.js';
import { sampleOf, viewNamed } from './views.js';

type Heard = Readonly<{
  receivedAtMs: Ms;
  reports: Readonly<Record<ClusterName, ClusterReport>>;
  selfHealthy: boolean;
}>;

/** What is true of the group, with instants instead of ages. */
export type GroupState = {
  mode: Mode;
  modeChangedAtMs: Ms | null;
  active: ClusterName;
  epoch: number;
  paused: boolean;
  unpausedAtMs: Ms | null;
  frozen: string | null;
  sagaOpenSinceMs: Ms | null;
  publishedAtMs: Ms | null;
  acknowledged: boolean;
  flapsAcknowledgedAtMs: Ms | null;
  closedUnpublished: Readonly<{ atMs: Ms; attempts: number; outcome: string }> | null;
  acceptLoss: Readonly<{ records: number | null; durationMs: Ms | null; untilMs: Ms }> | null;
  rejoin: readonly ClusterName[];
  armed: readonly ClusterName[];
  proposal: (NonNullable<Phase['group']['proposal']> & Readonly<{ atMs: Ms }>) | null;
};

/** The simulated world: agents, what they see, what has arrived. Changed in place by this folder only. */
export type World = {
  now: Ms;
  scenario: Scenario;
  clusters: readonly Readonly<{ name: ClusterName; idc: IdcName }>[];
  agents: Record<IdcName, AgentModel>;
  sees: Record<ClusterName, Record<IdcName, string>>;
  inbox: Delivery[];
  heard: Record<IdcName, Heard>;
  goodbyeAtMs: Record<IdcName, Ms>;
  listeningSinceMs: Ms;
  memory: Memory;
  leading: boolean;
  term: number;
  group: GroupState;
  lag: LagChange;
  sourceEndSeenAtMs: Ms;
  center: string; // 'ok' or the error
  fences: Phase['fences'];
  brokers: NonNullable<Phase['brokers']>;
  connector: NonNullable<Phase['connector']>;
  placement: NonNullable<Phase['placement']>;
  digests: Readonly<Record<string, string>>;
};

const NO_LAG_TROUBLE: LagChange = { records: 12, ms: 400, heartbeatAgeMs: 900 };

/** Simulations start at a round number, because 0 would hide a mistake with absent instants. */
export const START_MS: Ms = 1_000_000;

export function newWorld(scenario: Scenario): World {
  const clusters = sampleGroup().clusters;
  const idcs = scenario.observers.map((o) => o.idc);
  return {
    now: START_MS,
    scenario,
    clusters,
    agents: Object.fromEntries(idcs.map((idc, i) => [idc, newAgent(idc, i)])),
    sees: Object.fromEntries(clusters.map((c) => [c.name, Object.fromEntries(idcs.map((idc) => [idc, 'up']))])),
    inbox: [],
    heard: {},
    goodbyeAtMs: {},
    listeningSinceMs: START_MS,
    memory: INITIAL_MEMORY,
    leading: true,
    term: 1,
    group: {
      mode: 'auto',
      modeChangedAtMs: null,
      active: 'a',
      epoch: 1,
      paused: false,
      unpausedAtMs: null,
      frozen: null,
      sagaOpenSinceMs: null,
      publishedAtMs: null,
      acknowledged: false,
      flapsAcknowledgedAtMs: null,
      closedUnpublished: null,
      acceptLoss: null,
      rejoin: [],
      armed: [],
      proposal: null,
    },
    lag: NO_LAG_TROUBLE,
    sourceEndSeenAtMs: START_MS,
    center: 'ok',
    fences: {},
    brokers: {},
    connector: {},
    placement: {},
    digests: { 'ctl-a': 'one', 'ctl-b': 'one', 'ctl-c': 'one' },
  };
}

function changeGroup(w: World, change: Phase['group']): void {
  const g = w.group;
  if (change.mode !== undefined && change.mode !== g.mode) g.modeChangedAtMs = w.now;
  g.mode = change.mode ?? g.mode;
  g.active = change.active ?? g.active;
  g.epoch = change.epoch ?? g.epoch;
  if (g.paused && change.paused === false) g.unpausedAtMs = w.now;
  g.paused = change.paused ?? g.paused;
  if (change.proposal !== undefined) g.proposal = change.proposal && { ...change.proposal, atMs: w.now };
  if (change.frozen !== undefined) g.frozen = change.frozen;
  if (change.sagaOpen !== undefined) g.sagaOpenSinceMs = change.sagaOpen ? w.now : null;
  if (change.published === true) {
    g.publishedAtMs = w.now;
    g.acknowledged = false;
  }
  if (change.acknowledged === true) {
    g.acknowledged = true;
    g.flapsAcknowledgedAtMs = w.now;
    g.closedUnpublished = null;
  }
  if (change.closedUnpublished !== undefined) {
    g.closedUnpublished = change.closedUnpublished === null ? null : { atMs: w.now, ...change.closedUnpublished };
  }
  if (change.acceptLoss !== undefined) {
    g.acceptLoss =
      change.acceptLoss === null ? null : { ...change.acceptLoss, untilMs: w.now + change.acceptLoss.forMs };
  }
  g.rejoin = change.rejoin ?? g.rejoin;
  g.armed = change.armed ?? g.armed;
}

function changeController(w: World, change: Phase['controller']): void {
  w.leading = change.leading ?? w.leading;
  w.term = change.term ?? w.term;
  if (change.restart !== true) return;
  // A new process knows nothing: not the votes, not the windows.
  w.memory = INITIAL_MEMORY;
  w.heard = {};
  w.listeningSinceMs = w.now;
}

function changeAgents(w: World, agents: Phase['agents']): void {
  for (const [idc, state] of Object.entries(agents)) {
    const agent = w.agents[idc];
    if (agent === undefined) throw new RangeError(`no observer in IDC "${idc}"`);
    if (state === 'goodbye') w.goodbyeAtMs[idc] = w.now;
    else if (probes({ ...agent, state })) delete w.goodbyeAtMs[idc];
    w.agents[idc] = withState(agent, state);
  }
}

/** Applies what a phase says; whatever it does not mention stays as it was. */
export function enterPhase(w: World, phase: Phase): void {
  for (const [cluster, seen] of Object.entries(phase.sees)) w.sees[cluster] = { ...w.sees[cluster], ...seen };
  changeAgents(w, phase.agents);
  changeGroup(w, phase.group);
  changeController(w, phase.controller);
  w.lag = phase.lag ?? w.lag;
  w.center = phase.center ?? w.center;
  w.fences = { ...w.fences, ...phase.fences };
  w.brokers = { ...w.brokers, ...phase.brokers };
  w.connector = { ...w.connector, ...phase.connector };
  w.placement = { ...w.placement, ...phase.placement };
  w.digests = phase.digests ?? w.digests;
}

const answersIn = (name: string | undefined): boolean =>
  name !== undefined &&
  sampleOf(viewNamed(name), 0, 0, { healthy: true, reasons: [] }).brokers.some((b) => b.error === null);

/** The target's agent reads the source's end offsets as long as it reaches the source. */
function readSourceEnds(w: World): void {
  const target = w.clusters.find((c) => c.name !== w.group.active);
  const reader = target === undefined ? undefined : w.agents[target.idc];
  if (target === undefined || reader === undefined || !probes(reader)) return;
  if (answersIn(w.sees[w.group.active]?.[target.idc])) w.sourceEndSeenAtMs = w.now;
}

function deliver(w: World): void {
  const due = w.inbox.filter((d) => d.arrivesAtMs <= w.now);
  if (due.length === 0) return;
  w.inbox = w.inbox.filter((d) => d.arrivesAtMs > w.now);
  for (const d of due) {
    const reports = Object.fromEntries(d.reports.map((r) => [r.cluster, r]));
    w.heard[d.idc] = { receivedAtMs: d.arrivesAtMs, reports, selfHealthy: d.selfHealthy };
  }
}

/** Moves the world to `w.now`: due probe rounds run, due reports arrive. Called once per step of 100 ms. */
export function live(w: World): void {
  const settings = settingsOf(w.scenario.probe);
  for (const agent of Object.values(w.agents)) {
    const since = w.now - START_MS - agent.phaseMs;
    if (since < 0 || since % settings.periodMs !== 0 || !probes(agent)) continue;
    const seen = Object.fromEntries(w.clusters.map((c) => [c.name, w.sees[c.name]?.[agent.idc] ?? 'up']));
    const ran = probeRound(agent, w.now, seen, settings);
    w.agents[agent.idc] = ran.agent;
    if (ran.delivery !== null) w.inbox.push(ran.delivery);
  }
  readSourceEnds(w);
  deliver(w);
}

/** Every expected observer was heard by this process, or 3p + t passed since it first listened. */
export const graceOver = (w: World): boolean =>
  w.scenario.observers.every((o) => w.heard[o.idc] !== undefined) ||
  w.now - w.listeningSinceMs >= staleAfterMs(w.scenario.probe);
