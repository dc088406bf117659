import { breakGlassId, breakGlassPointer, type Pointer } from '#config-center';
import { breakGlassGoals, type Goal } from '#failover';
import { CliError, EXIT } from '../exit-codes.js';
import type { Chosen } from './controller-view.js';

/** What the authoritative config center shows. */
export type Standing = Readonly<{ pointer: Pointer | null; claimedTerm: number }>;

/**
 * `publish`: the pointer is moved. `finish`: an act of break-glass has moved it already, and this run carries out on the
 * clusters what that one could not reach.
 */
export type Plan = Readonly<{
  kind: 'publish' | 'finish';
  before: Pointer;
  pointer: Pointer;
  goals: readonly Goal[]; // in the order of the failover: close, stop, open
}>;

type Act = Readonly<{ id: string; target: string; at: string }>;

/** @throws CliError (6) where publishing would be wrong or would change nothing */
export function planBreakGlass({ pointer, claimedTerm }: Standing, chosen: Chosen, act: Act): Plan {
  const { watch } = chosen.group;
  if (pointer === null) {
    throw refused(
      `the config center holds no pointer of ${watch.name}, so no epoch is above it: restore the center from its backup`,
    );
  }
  const there = pointer.activeCluster === act.target && pointer.mode === 'ACTIVE';
  if (there && breakGlassId(pointer) === null)
    throw refused(`${act.target} is active already, at epoch ${pointer.epoch}: nothing to publish`);
  const { bootstrapServers } = chosen;
  const next = there ? pointer : breakGlassPointer(pointer, claimedTerm, { ...act, bootstrapServers });
  const { epoch, term } = next;
  // The flow out of the target runs on the other side's worker, and stands still while that side was active.
  const goals = breakGlassGoals(watch, { active: act.target, epoch, term }).filter(
    (goal) => goal.subject === 'cluster' || goal.to === act.target,
  );
  return { kind: there ? 'finish' : 'publish', before: pointer, pointer: next, goals };
}

const refused = (message: string): CliError => new CliError(message, EXIT.refused);
