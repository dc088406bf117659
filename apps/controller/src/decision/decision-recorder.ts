import { Inject, Injectable } from '@nestjs/common';
import { type AlertType, type Decision, explain, type Json } from '#failover';
import { CLOCK, type Clock, LOGGER, type Logger, rfc3339 } from '#platform';
import { ALERTING, alertId, type Alerting } from '../alerting/alerting.port.js';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import {
  type Alert,
  AUTHORITY_STORE,
  type AuthorityStore,
  type EventRow,
  LostLeadershipError,
} from '../persistence/authority-store.port.js';
import { alertEvent } from './alert-event.js';
import type { Evaluation } from './decision.port.js';
import { IncidentBook } from './incident-book.js';
import { RecentIds } from './recent-ids.js';
import { StoreView } from './store-view.js';

/** The part of the {@link StoreView} that is read here. */
export type StoreReading = Pick<
  StoreView,
  'ageMs' | 'silentForMs' | 'revision' | 'knownIncidents' | 'knownAlerts' | 'openIncidents'
>;

type Entry = Readonly<{ event: Omit<EventRow, 'seq'> | null; alerts: readonly Alert[] }>;

/** Entries waiting for the store, per group. A store that is down for longer than this is told of by the direct path. */
const MAX_WAITING = 200;
/** An alert that the store held for this long before it fell silent was delivered by the leader of that time. */
const DELIVERED_AFTER_MS = 30_000;

/**
 * Writes what changed, and the alerts that are due, in one transaction. Only the leader writes. With the store silent
 * past the lease every controller still alerts by the direct path, under the ids that the rows would have had.
 */
@Injectable()
export class DecisionRecorder {
  private readonly incidents = new IncidentBook();
  private readonly written = new RecentIds(); // alert ids that the store holds, or will once `waiting` is written
  private readonly sent = new RecentIds(); // by the direct path of this process
  private readonly waiting: Entry[] = [];
  private writing: Promise<void> | null = null;
  private learnt = -1; // revision of the view

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(StoreView) private readonly view: StoreReading,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERTING) private readonly alerting: Alerting,
    @Inject(CONTROLLER_CONFIG) private readonly config: ControllerConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  failoverIncident(group: string, epoch: number): string {
    this.learn();
    return this.incidents.current(group, epoch, 'suspected');
  }

  returnIncident(group: string, epoch: number): string {
    this.learn();
    return this.incidents.assert(group, epoch, 'old_primary_back', this.clock.monotonicMs()).incident;
  }

  record(group: GroupConfig, now: Evaluation, before: Evaluation | null): void {
    if (!this.leadership.current().leading) return this.follow(now);
    this.learn();
    const at = rfc3339(this.clock.wallMs());
    const nowMs = this.clock.monotonicMs();
    const alerts = [...this.dueAlerts(now, at), ...this.endings(now, at)].filter(
      ({ id }) => this.written.since(id) === null,
    );
    for (const { id } of alerts) this.written.note(id, nowMs);
    const changed = before === null || signature(before.decision) !== signature(now.decision);
    if (changed || alerts.length > 0) this.push({ event: changed ? decisionEvent(group, now, at) : null, alerts });
    this.flush();
  }

  /** Not leading: another tells, unless the store is silent past the lease. Then nobody knows who leads, and all tell. */
  private follow(now: Evaluation): void {
    if (this.writing === null) this.forget();
    this.learn();
    if (!this.storeSilent()) {
      const { group, now: nowMs } = now.snapshot;
      for (const type of now.decision.alerts) this.incidents.touch(group.name, group.epoch, type, nowMs);
      return;
    }
    const nowMs = this.clock.monotonicMs();
    for (const alert of this.dueAlerts(now, rfc3339(this.clock.wallMs()))) {
      if (this.sent.since(alert.id) !== null || this.wasDelivered(alert.id, nowMs)) continue;
      this.sent.note(alert.id, nowMs);
      this.alerting.direct(alert);
    }
  }

  private wasDelivered(id: string, nowMs: number): boolean {
    const since = this.written.since(id);
    return since !== null && nowMs - (this.view.ageMs() ?? 0) - since >= DELIVERED_AFTER_MS;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.writing;
  }

  private storeSilent(): boolean {
    const silentForMs = this.view.silentForMs();
    return silentForMs !== null && silentForMs > this.config.lease.ttlMs;
  }

  /** Names and ids that the store holds, whoever wrote them: before anything is named by this process. */
  private learn(): void {
    const revision = this.view.revision();
    if (revision === this.learnt) return;
    this.learnt = revision;
    const nowMs = this.clock.monotonicMs();
    for (const { incident, open } of this.view.knownIncidents()) this.incidents.seen(incident, open, nowMs);
    for (const id of this.view.knownAlerts()) this.written.note(id, nowMs);
  }

  private dueAlerts({ snapshot, decision }: Evaluation, at: string): Alert[] {
    return decision.alerts.map((type): Alert => {
      const { incident } = this.incidents.assert(snapshot.group.name, snapshot.group.epoch, type, snapshot.now);
      const blockers = liftsOf(type, snapshot, decision);
      const id = alertId({
        group: snapshot.group.name,
        incident: `${incident}${discriminator(type, snapshot, decision)}`,
        type,
        epoch: snapshot.group.epoch,
      });
      const frozen = type === 'frozen' ? [`frozen: ${snapshot.group.frozen ?? ''}`] : [];
      const reason = [...frozen, decision.state, ...decision.reasons].join(' · ');
      const { name, epoch } = snapshot.group;
      return { id, incident, type, group: name, row: decision.row, reason, blockers, term: snapshot.term, epoch, at };
    });
  }

  /** The end of each story that nothing tells of any more. What only a person can end ends when one has looked. */
  private endings({ snapshot, decision }: Evaluation, at: string): Alert[] {
    const { name, epoch, openSaga } = snapshot.group;
    if (openSaga !== null) return [];
    const open = this.view.openIncidents(name);
    for (const { incident } of open) this.incidents.seen(incident, true, snapshot.now); // of a leader before
    const over = open
      .filter((row) => this.incidents.isQuiet(row.incident, snapshot.now))
      .filter(({ last, acknowledgedAt }) => endsByItself(last) || acknowledgedAt !== null);
    return over.map(({ incident, types, last }): Alert => {
      // A saga that a person orders takes up a story that was over, which then ends once more.
      const id = alertId({ group: name, incident: `${incident}/${last.id}`, type: 'resolved', epoch });
      const reason = `what it told of (${types.join(', ')}) no longer holds · ${decision.state}`;
      const { row } = decision;
      return {
        id,
        incident,
        type: 'resolved',
        group: name,
        row,
        reason,
        blockers: [],
        term: snapshot.term,
        epoch,
        at,
        of: types,
      };
    });
  }

  private push(entry: Entry): void {
    this.waiting.push(entry);
    if (this.waiting.length > MAX_WAITING) {
      const dropped = this.waiting.shift();
      this.logger.error({ dropped }, 'the store takes no writes: the oldest entry is told by the direct path only');
      for (const alert of dropped?.alerts ?? []) this.alerting.direct(alert);
    }
  }

  /** At each tick, so that a store that was away for a moment gets what waits without anything new having to happen. */
  private flush(): void {
    if (this.waiting.length === 0) return;
    this.writing ??= this.drain().finally(() => {
      this.writing = null;
    });
  }

  private async drain(): Promise<void> {
    for (let entry = this.waiting[0]; entry !== undefined; entry = this.waiting[0]) {
      const { term, leading } = this.leadership.current();
      if (!leading) {
        this.forget();
        return;
      }
      try {
        await this.write(term, entry);
      } catch (error) {
        if (error instanceof LostLeadershipError) {
          this.forget();
          return;
        }
        this.logger.warn({ error }, 'decision not recorded yet: tried again at the next tick');
        return;
      }
      if (this.waiting[0] === entry) this.waiting.shift(); // else the bound pushed it out meanwhile
    }
  }

  private async write(term: number, { event, alerts }: Entry): Promise<void> {
    await this.store.transact(term, this.config.id, async (tx) => {
      if (event !== null) await tx.appendEvent({ ...event, term });
      for (const alert of alerts) {
        await tx.enqueueAlert({ ...alert, term });
        await tx.appendEvent(alertEvent({ ...alert, term }));
      }
    });
    if (alerts.length > 0) this.alerting.nudge();
  }

  /** Not the leader any more: the new one sees the same facts and tells them itself. */
  private forget(): void {
    for (const { alerts } of this.waiting) for (const { id } of alerts) this.written.forget(id);
    this.waiting.length = 0;
  }
}

/**
 * What a `needs_operator` names that a proposal raised: it ends with the condition. One of a saga, or of a schedule that was
 * not begun, waits for a person: nothing else can know that it was seen.
 */
const APPROVAL = 'APPROVAL';
const endsByItself = (last: Alert): boolean =>
  last.type !== 'needs_operator' || last.blockers.some((b) => b.name === APPROVAL);

/**
 * A `held` alert is sent again when the blockers change: the person must know which call lifts it now. An endless loop of
 * flows is not hidden by another misconfiguration.
 */
function discriminator(type: AlertType, { group }: Evaluation['snapshot'], decision: Decision): string {
  // Asked again after a no: a page of its own. Opening the proposal that this one tells of must not be another.
  const proposal = group.proposal?.origin === 'matrix' ? group.proposal : null;
  const after = proposal?.state === 'open' ? proposal.after : (proposal?.id ?? null);
  if (type === 'needs_operator' && after !== null) return `/after-${after}`;
  if (type === 'held') return `/${decision.blockers.map((b) => b.name).join('+')}`;
  return type === 'misconfigured' && decision.flowLoop !== undefined ? '/flow-loop' : '';
}

/** What stands in the way and the call that lifts it; a freeze is a gate and no blocker, but a person must lift it too. */
function liftsOf(
  type: AlertType,
  { group }: Evaluation['snapshot'],
  { blockers, action }: Decision,
): Alert['blockers'] {
  const frozen = { name: 'FROZEN', liftedBy: `pointsman ack ${group.name} --reason "…"` };
  const approval = { name: APPROVAL, liftedBy: `pointsman approve ${group.name} --reason "…"` };
  const own = type === 'frozen' ? [frozen] : type === 'needs_operator' && action === 'propose' ? [approval] : [];
  return [...own, ...blockers.map(({ name, liftedBy }) => ({ name, liftedBy }))];
}

/** What makes a decision another one for the record; ages and fills do not. */
const signature = (d: Decision): string =>
  JSON.stringify([d.row, d.gate, d.action, d.blockers.map((b) => b.name), d.also, d.targetFit.fit]);

const decisionEvent = (group: GroupConfig, { snapshot, decision }: Evaluation, at: string): Omit<EventRow, 'seq'> => ({
  at,
  group: group.name,
  type: 'decision',
  row: decision.row,
  summary: `${decision.row} ${decision.name}: ${decision.state}`,
  detail: toJson(explain(snapshot, group.policy, decision)),
  term: snapshot.term,
  epoch: snapshot.group.epoch,
});

const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
