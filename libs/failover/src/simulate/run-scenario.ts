import { decide } from '../matrix/decide.js';
import type { Decision, Snapshot } from '../matrix/facts.js';
import { buildSnapshot } from './build-snapshot.js';
import { checkPhase, type Tick } from './check-phase.js';
import type { Change, Phase, PhaseResult, Scenario } from './scenario.js';
import { enterPhase, live, newWorld, START_MS, type World } from './world.js';

/** The world moves in steps of this; all periods and phases are multiples of it. */
const STEP_MS = 100;

export type ScenarioRun = Readonly<{
  steps: readonly PhaseResult[];
  ok: boolean;
  last: Readonly<{ snapshot: Snapshot; decision: Decision }> | null; // for explain
}>;

const changeOf = (w: World, d: Decision): Change => ({
  atMs: w.now - START_MS,
  row: d.row,
  name: d.name,
  action: d.action,
  wouldDo: d.wouldDo,
  gate: d.gate,
  blockers: d.blockers.map((b) => b.name),
  verdict: d.verdicts[w.group.active]?.name ?? 'UNKNOWN',
});

const sameChange = (a: Change | undefined, b: Change): boolean =>
  a !== undefined && JSON.stringify({ ...a, atMs: 0 }) === JSON.stringify({ ...b, atMs: 0 });

type Listener = (snapshot: Snapshot, decision: Decision) => void;

function runPhase(w: World, phase: Phase, listen: Listener): PhaseResult {
  const fromMs = w.now;
  enterPhase(w, phase);
  const ticks: Tick[] = [];
  const changes: Change[] = [];
  while (w.now < fromMs + phase.forMs) {
    w.now += STEP_MS;
    live(w);
    if ((w.now - START_MS) % w.scenario.tickMs !== 0) continue;
    const snapshot = buildSnapshot(w);
    const decision = decide(snapshot, w.scenario.policy);
    w.memory = decision.nextMemory;
    listen(snapshot, decision);
    ticks.push({ sinceMs: w.now - fromMs, decision });
    const change = changeOf(w, decision);
    if (!sameChange(changes.at(-1), change)) changes.push(change);
  }
  const failures = checkPhase(phase.expect, ticks, w.group.active);
  return { name: phase.name, fromMs: fromMs - START_MS, toMs: w.now - START_MS, changes, failures };
}

/**
 * Runs a scenario through the real fold, verdicts and decide() under a simulated clock. Pure and deterministic.
 * `listen` is called at every tick, for invariants and for showing the run.
 */
export function runScenario(scenario: Scenario, listen: Listener = () => undefined): ScenarioRun {
  const w = newWorld(scenario);
  let last: ScenarioRun['last'] = null;
  const steps = scenario.phases.map((phase) =>
    runPhase(w, phase, (snapshot, decision) => {
      last = { snapshot, decision };
      listen(snapshot, decision);
    }),
  );
  return { steps, ok: steps.every((s) => s.failures.length === 0), last };
}
