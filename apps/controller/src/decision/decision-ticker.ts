import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { nextProposal, nextSchedule, standbysToClose, type ActionName, type Decision, type Snapshot } from '#failover';
import { LOGGER, type Logger } from '#platform';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { SAGA_DRIVER, type SagaDriver } from '../saga/saga.port.js';
import { DecisionEvaluator } from './decision-evaluator.js';
import { DecisionRecorder } from './decision-recorder.js';
import { IncidentCloser } from './incident-closer.js';
import { LeaseIssuer } from './lease-issuer.js';
import { ProposalKeeper } from './proposal-keeper.js';
import { ScheduleKeeper } from './schedule-keeper.js';

const STANDBY_EVERY_MS = 10_000;

type Effect = (sagas: SagaDriver, snapshot: Snapshot, decision: Decision) => Promise<void>;

/** What an action means here; everything else is told by alerts only. */
const EFFECTS: Readonly<Partial<Record<ActionName, Effect>>> = {
  failover: (sagas, snapshot, decision) => sagas.start(snapshot, decision),
  unfence: (sagas, snapshot, decision) => sagas.unfenceActive(snapshot, decision),
  'start-rejoin': (sagas, snapshot, decision) => sagas.survey(snapshot, decision),
};

/**
 * Each tick, for each group: decide, then act on the decision's word. Every controller ticks, so that a new leader needs
 * no re-learning; only the leader acts.
 */
@Injectable()
export class DecisionTicker implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly acting = new Map<string, Promise<void>>();
  private readonly standbyAtMs = new Map<string, number>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(CONTROLLER_CONFIG) private readonly config: ControllerConfig,
    @Inject(DecisionEvaluator) private readonly evaluator: DecisionEvaluator,
    @Inject(DecisionRecorder) private readonly recorder: DecisionRecorder,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(ProposalKeeper) private readonly proposals: ProposalKeeper,
    @Inject(ScheduleKeeper) private readonly schedule: ScheduleKeeper,
    @Inject(IncidentCloser) private readonly incidents: IncidentCloser,
    @Inject(LeaseIssuer) private readonly leases: LeaseIssuer,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.tick(), this.config.tickMs);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await Promise.all(this.acting.values());
    await this.recorder.idle();
  }

  private tick(): void {
    for (const group of this.config.groups) {
      try {
        this.tickGroup(group);
      } catch (error) {
        this.logger.error({ error, group: group.name }, 'tick failed: nothing was decided for this group');
      }
    }
    this.act('removed groups', null, () => this.incidents.closeRemoved());
  }

  /** One act at a time per group; a tick that finds one under way leaves it alone. */
  private tickGroup(group: GroupConfig): void {
    const { snapshot, decision } = this.evaluator.tick(group);
    this.leases.issue(group, { snapshot, decision });
    const undriven = snapshot.group.openSaga !== null && this.sagas.open(group.name) === null;
    if (undriven) this.act(`${group.name}/adopt`, decision.row, () => this.sagas.adopt(group.name));
    const effect = EFFECTS[decision.action];
    if (effect !== undefined) this.act(group.name, decision.row, () => effect(this.sagas, snapshot, decision));
    const proposal = nextProposal(snapshot, decision);
    if (proposal !== null)
      this.act(`${group.name}/proposal`, decision.row, () =>
        this.proposals.carryOut(group, proposal, { snapshot, decision }),
      );
    const scheduled = nextSchedule(snapshot);
    if (scheduled !== null)
      this.act(`${group.name}/schedule`, decision.row, () => this.schedule.carryOut(scheduled, { snapshot, decision }));
    // In the act's own turn: a standby must not be closed while a failover to it begins.
    const calm =
      standbysToClose(snapshot, decision, group.policy).length > 0 && this.standbyIsDue(group.name, snapshot);
    if (effect === undefined && calm)
      this.act(group.name, decision.row, () => this.sagas.fenceStandbys(snapshot, decision));
    const loops = decision.flowLoop !== undefined && decision.gate.length === 0 && snapshot.graceOver;
    // Beside the act, not instead of it: waiting for connectors must never hold up a failover.
    if (loops) this.act(`${group.name}/loop`, decision.row, () => this.sagas.stopLoop(snapshot, decision));
    this.act(`${group.name}/reached`, decision.row, () => this.sagas.dropReached(group.name));
  }

  /** The store is asked for the goals that stand there, so not at each tick. */
  private standbyIsDue(group: string, snapshot: Snapshot): boolean {
    const last = this.standbyAtMs.get(group);
    if (last !== undefined && snapshot.now - last < STANDBY_EVERY_MS) return false;
    this.standbyAtMs.set(group, snapshot.now);
    return true;
  }

  private act(key: string, row: number | null, run: () => Promise<void>): void {
    if (!this.leadership.current().leading || this.acting.has(key)) return;
    const running = run()
      .catch((error: unknown) => this.logger.error({ error, key, row }, 'the act could not be started'))
      .finally(() => this.acting.delete(key));
    this.acting.set(key, running);
  }
}
