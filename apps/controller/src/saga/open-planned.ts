import {
  approvalRefusals,
  MODE_EPOCHS,
  planSaga,
  plannedRefusals,
  type PlannedQuestion,
  type SagaRecord,
} from '#failover';
import type { AuthorityTx } from '../persistence/authority-store.port.js';
import type { AskKind, PlannedAnswer, PlannedAsk, Rehearsal } from './planned-ask.js';
import { rehearseApproved } from './rehearse-approved.js';
import { rehearseForced } from './rehearse-forced.js';
import { rehearseRejoin } from './rejoin/rehearse-rejoin.js';
import type { SagaRunnerDeps } from './saga-fleet.js';
import { noteSaga } from './saga-note.js';
import type { SagaGroup } from './saga-options.js';
import { openSaga } from './steps/open-saga.step.js';

type Rehearse = (deps: SagaRunnerDeps, group: SagaGroup, ask: PlannedAsk) => Promise<Rehearsal>;

/** How each kind is asked; `epochRoom`: for publications of its own before the point of no return. */
const KINDS: Readonly<Record<AskKind, Readonly<{ rehearse: Rehearse; epochRoom: number }>>> = {
  failover: { rehearse: rehearseFailover, epochRoom: 0 },
  switchover: { rehearse: (...of) => rehearseSwitch('switchover', ...of), epochRoom: MODE_EPOCHS },
  failback: { rehearse: (...of) => rehearseSwitch('failback', ...of), epochRoom: MODE_EPOCHS },
  rejoin: { rehearse: rehearseRejoin, epochRoom: MODE_EPOCHS },
};

/** What would be done and what stands in its way. Reads only. */
export const rehearsePlanned: Rehearse = async (deps, group, ask) => {
  const rehearsal = await KINDS[ask.kind].rehearse(deps, group, ask);
  const { approval, force } = ask.request;
  // Of what the matrix proposed the rehearsal has asked already.
  if (approval === undefined || ask.scheduled === true || (ask.kind === 'failover' && force === undefined))
    return rehearsal;
  const { snapshot, decision } = deps.decisions.evaluate(group.name);
  return { ...rehearsal, refusals: [...approvalRefusals(snapshot, decision, approval), ...rehearsal.refusals] };
};

function rehearseFailover(deps: SagaRunnerDeps, group: SagaGroup, ask: PlannedAsk): Promise<Rehearsal> {
  const { force } = ask.request;
  return force === undefined ? rehearseApproved(deps, group, ask) : rehearseForced(deps, group, ask, force);
}

async function rehearseSwitch(
  kind: PlannedQuestion['kind'],
  deps: SagaRunnerDeps,
  group: SagaGroup,
  ask: PlannedAsk,
): Promise<Rehearsal> {
  const { snapshot } = deps.decisions.evaluate(group.name);
  const home = await homeOf(deps, group.name, snapshot.group.active);
  const source = snapshot.group.active;
  const target = ask.target ?? home ?? group.clusters.find((c) => c.name !== source)?.name ?? '';
  const question: PlannedQuestion = {
    kind,
    target,
    flows: group.watch.flows,
    principals: group.watch.principals,
    home,
    acceptUnfencedSource: ask.request.acceptUnfencedSource,
  };
  const plan = planSaga({
    ...{ kind, group: group.name, source, target, maxOpenMs: group.policy.sagaMaxOpenMs },
    times: deps.times.steps,
  });
  return {
    target,
    epoch: snapshot.group.epoch,
    refusals: plannedRefusals(snapshot, group.policy, question),
    plan,
  };
}

/** The cluster that the last switch left, by the ledger; null: no switch led to the active one. */
async function homeOf(deps: SagaRunnerDeps, group: string, active: string): Promise<string | null> {
  const [row] = await deps.store.lastSwitch(group, { to: active });
  return row?.from ?? null;
}

/**
 * Confirm and open of what a person asked for. The same questions as the rehearsal, asked again of a fresh snapshot; then the
 * journal's first transaction, with whatever `also` keeps of the request (its answer for a repeat).
 */
export async function openPlanned(
  deps: SagaRunnerDeps,
  by: Readonly<{ term: number; holder: string }>,
  group: SagaGroup,
  ask: PlannedAsk,
  also: (tx: AuthorityTx, saga: SagaRecord, rehearsal: Rehearsal) => Promise<void>,
): Promise<PlannedAnswer> {
  const { crash, store, decisions, time } = deps;
  await crash('before', 'confirm');
  const rehearsal = await rehearsePlanned(deps, group, ask);
  await crash('after', 'confirm');
  if (rehearsal.refusals.length > 0) return { rehearsal, saga: null };
  const evaluation = decisions.evaluate(group.name);
  const wallMs = time.wallMs();
  // A failover that waited for a person goes on with the story that paged: one incident from suspicion to its end.
  const incident =
    ask.kind === 'failover'
      ? decisions.failoverIncident(group.name)
      : `${group.name}-${evaluation.snapshot.group.epoch}-${ask.kind}-${wallMs}`;
  await crash('before', 'open');
  const saga = await store.transact(by.term, by.holder, async (tx) => {
    const { target, loss } = rehearsal;
    const opened = await openSaga(tx, {
      ...{ term: by.term, wallMs, evaluation, target, incident, kind: rehearsal.plan.kind, request: ask.request },
      epochRoom: KINDS[ask.kind].epochRoom,
      ...(loss === undefined ? {} : { loss }),
    });
    await noteSaga(tx, opened, 'opened', { wallMs, holder: by.holder, actor: ask.request.by });
    await also(tx, opened, rehearsal);
    return opened;
  });
  await crash('after', 'open');
  return { rehearsal, saga };
}
