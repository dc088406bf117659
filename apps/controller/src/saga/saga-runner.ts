import type { Decision, SagaRecord, Snapshot } from '#failover';
import type { LeadershipView } from '../leadership/leadership.port.js';
import { LostLeadershipError, OpenSagaExistsError } from '../persistence/authority-store.port.js';
import { CrashedHere } from './crash-point.js';
import { dropReached } from './drop-reached.js';
import { GoalHandover } from './goal-handover.js';
import { openFailover } from './open-failover.js';
import { openPlanned, rehearsePlanned } from './open-planned.js';
import type { PlannedAnswer, PlannedAsk, Rehearsal } from './planned-ask.js';
import type { AbortAnswer } from './saga-abort.js';
import { RejoinSurveys } from './rejoin/survey.js';
import { isPassing, type SagaDeps, SagaFleet, type SagaRunnerDeps } from './saga-fleet.js';
import { type SagaGroup, type SagaGroups, sagaGroups, type SagaOptions } from './saga-options.js';
import type { Also, SagaDriver } from './saga.port.js';
import { StaleGroupError } from './steps/open-saga.step.js';
import { fenceStandbys } from './fence-standby.js';
import { stopLoop } from './stop-loop.js';
import { unfenceActive } from './unfence-active.js';

/** This process leads, and has taken over what the leader before it left. */
type Lead = Readonly<{ group: SagaGroup; term: number; holder: string; leading: AbortSignal }>;

/**
 * Opens sagas for acting decisions and drives open ones while this process leads. At take-over the goals go to the
 * agents first (they stay true whoever leads), then every open saga is claimed with the new term and driven on.
 */
export class SagaRunner implements SagaDriver {
  private readonly deps: SagaDeps;
  private readonly fleet: SagaFleet;
  private readonly surveys: RejoinSurveys;
  private readonly starting = new Set<string>();
  private readonly groups: SagaGroups;
  private takenTerm = 0;
  private takeover: Promise<void> = Promise.resolve();
  private unsubscribe: () => void = () => undefined;
  private readonly stopping = new AbortController();

  constructor(
    deps: SagaRunnerDeps,
    private readonly options: SagaOptions,
  ) {
    this.deps = { ...deps, handover: new GoalHandover(deps.store, deps.gateway) };
    this.groups = sagaGroups(options);
    this.fleet = new SagaFleet(this.deps, options, this.groups);
    this.surveys = new RejoinSurveys(this.deps);
  }

  /** Begins to follow leadership. */
  begin(): void {
    this.unsubscribe = this.deps.leadership.onChange((view) => this.onLeadership(view));
    this.onLeadership(this.deps.leadership.current());
  }

  /** A planned stop: running steps are cancelled where they are, and the next leader goes on from there. */
  async end(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort(new Error('this controller stops'));
    await this.idle();
  }

  /** Resolves when the newest take-over has launched every open saga (or this process lost the lead over it). */
  async takenOver(): Promise<void> {
    await this.takeover;
  }

  /** Resolves when nothing runs any more: for shutdown after leadership was given up, and for tests. */
  async idle(): Promise<void> {
    await this.takeover;
    await this.fleet.idle();
    await this.surveys.idle();
  }

  open(group: string): Readonly<{ saga: SagaRecord; openForMs: number }> | null {
    return this.fleet.open(group);
  }

  abort(id: string, reason: string): Promise<AbortAnswer | null> {
    return this.fleet.abort(id, reason);
  }

  async start(snapshot: Snapshot, decision: Decision): Promise<void> {
    const lead = this.lead(snapshot.group.name);
    if (lead === null || this.starting.has(lead.group.name) || this.fleet.has(lead.group.name)) return;
    const { group, term, leading } = lead;
    this.starting.add(group.name);
    try {
      const saga = await openFailover(this.deps, lead, group, { snapshot, decision });
      if (saga !== null) this.fleet.launch(saga, 0, term, leading);
    } catch (error) {
      if (error instanceof CrashedHere) return;
      if (error instanceof OpenSagaExistsError) await this.fleet.adopt(group.name, term, leading);
      else if (error instanceof LostLeadershipError || error instanceof StaleGroupError) {
        this.deps.log.warn({ group: group.name, error }, 'failover was not opened');
      } else throw error;
    } finally {
      this.starting.delete(group.name);
    }
  }

  async adopt(name: string): Promise<void> {
    const lead = this.lead(name);
    if (lead === null || this.starting.has(name) || this.fleet.has(name)) return;
    await this.fleet.adopt(name, lead.term, lead.leading);
  }

  async rehearse(ask: PlannedAsk): Promise<Rehearsal | null> {
    const lead = this.lead(ask.group);
    return lead === null ? null : await rehearsePlanned(this.deps, lead.group, ask);
  }

  async request(ask: PlannedAsk, also: Also): Promise<PlannedAnswer | null> {
    const lead = this.lead(ask.group);
    if (lead === null) return null;
    const { group, term, leading } = lead;
    // A saga that is being opened by the tick has no row yet that the questions could see; the store has the last word.
    if (this.starting.has(group.name) || this.fleet.has(group.name)) throw new OpenSagaExistsError(group.name);
    this.starting.add(group.name);
    try {
      const answer = await openPlanned(this.deps, lead, group, ask, also);
      if (answer.saga !== null) this.fleet.launch(answer.saga, 0, term, leading);
      return answer;
    } finally {
      this.starting.delete(group.name);
    }
  }

  async unfenceActive(snapshot: Snapshot, decision: Decision): Promise<void> {
    const lead = this.lead(snapshot.group.name);
    if (lead === null || this.fleet.has(lead.group.name)) return;
    const { store, handover, publishing, time } = this.deps;
    const { term, holder } = lead;
    const deps = { store, handover, publishing, wallMs: time.wallMs(), holder, term };
    await unfenceActive(deps, lead.group, { snapshot, decision });
  }

  async survey(snapshot: Snapshot): Promise<void> {
    const lead = this.lead(snapshot.group.name);
    if (lead === null || this.fleet.has(lead.group.name) || this.starting.has(lead.group.name)) return;
    this.surveys.begin(lead, snapshot);
  }

  async fenceStandbys(snapshot: Snapshot, decision: Decision): Promise<void> {
    const lead = this.lead(snapshot.group.name);
    if (lead === null || this.fleet.has(lead.group.name) || this.starting.has(lead.group.name)) return;
    const { store, handover, time } = this.deps;
    const { term, holder } = lead;
    await fenceStandbys({ store, handover, wallMs: time.wallMs(), holder, term }, lead.group, { snapshot, decision });
  }

  async stopLoop(snapshot: Snapshot, decision: Decision): Promise<void> {
    const lead = this.lead(snapshot.group.name);
    if (lead === null || this.fleet.has(lead.group.name) || this.starting.has(lead.group.name)) return;
    const { term, holder } = lead;
    await stopLoop({ ...this.deps, holder, term }, lead.group, { snapshot, decision });
  }

  async dropReached(group: string): Promise<void> {
    const lead = this.lead(group);
    if (lead === null || this.fleet.has(group) || this.starting.has(group)) return;
    const { term, holder } = lead;
    await dropReached({ ...this.deps, holder, term }, group);
  }

  /** Null: this process does not lead, has not taken over yet, or does not know the group. */
  private lead(name: string): Lead | null {
    const { leading, signal, term } = this.deps.leadership.current();
    const group = this.groups.get(name);
    if (!leading || signal === null || group === undefined || term !== this.takenTerm) return null;
    return {
      group,
      term,
      holder: this.options.controller,
      leading: AbortSignal.any([signal, this.stopping.signal]),
    };
  }

  private onLeadership(view: LeadershipView): void {
    if (!view.leading || view.signal === null || view.term === this.takenTerm) return;
    const { term } = view;
    const signal = AbortSignal.any([view.signal, this.stopping.signal]);
    this.takenTerm = term;
    this.fleet.begin(term);
    this.takeover = this.takeOver(term, signal).catch((error: unknown) => {
      if (!signal.aborted) this.deps.log.error({ term, error }, 'take-over of sagas failed');
    });
  }

  /** Retried while this process leads: a store that restarts must not leave goals unsent or a saga without a driver. */
  private async takeOver(term: number, signal: AbortSignal): Promise<void> {
    const { store, handover, time, times, log } = this.deps;
    for (let attempt = 1; attempt <= TAKE_OVER_ATTEMPTS && !signal.aborted; attempt++) {
      try {
        await handover.send(term);
        for (const saga of await store.openSagas()) await this.fleet.claim(saga, term, signal);
        return;
      } catch (error) {
        if (isPassing(error)) return;
        log.warn({ term, attempt, error }, 'take-over of sagas will be tried again');
        await time.sleep(times.storeRetryMs, signal);
      }
    }
  }
}

const TAKE_OVER_ATTEMPTS = 10_000;
