import { Inject, Injectable } from '@nestjs/common';
import { decide, type Memory } from '#failover';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import { SNAPSHOT_SOURCE, type SnapshotSource } from '../observation/observation.port.js';
import type { Decisions, Evaluation } from './decision.port.js';
import { DecisionRecorder } from './decision-recorder.js';

/** Snapshot → decide, with the memory of the last tick. Knows of no effect. */
@Injectable()
export class DecisionEvaluator implements Decisions {
  private readonly newest = new Map<string, Evaluation>();
  private readonly memories = new Map<string, Memory>();
  private readonly judgedBy = new Map<string, GroupConfig>();

  constructor(
    @Inject(CONTROLLER_CONFIG) private readonly config: ControllerConfig,
    @Inject(SNAPSHOT_SOURCE) private readonly snapshots: SnapshotSource,
    @Inject(DecisionRecorder) private readonly recorder: DecisionRecorder,
  ) {}

  /** One tick of one group: what was decided is remembered, and recorded if it changed. */
  tick(group: GroupConfig): Evaluation {
    this.heedReload(group);
    const evaluation = this.look(group);
    const previous = this.newest.get(group.name) ?? null;
    this.memories.set(group.name, evaluation.decision.nextMemory);
    this.newest.set(group.name, evaluation);
    this.recorder.record(group, evaluation, previous);
    return evaluation;
  }

  latest(group: string): Evaluation | null {
    return this.newest.get(group) ?? null;
  }

  evaluate(group: string): Evaluation {
    const config = this.config.groups.find((g) => g.name === group);
    if (config === undefined) throw new Error(`group ${group} is not configured`);
    return this.look(config);
  }

  failoverIncident(group: string): string {
    return this.recorder.failoverIncident(group, this.epochOf(group));
  }

  returnIncident(group: string): string {
    return this.recorder.returnIncident(group, this.epochOf(group));
  }

  private epochOf(group: string): number {
    return this.newest.get(group)?.snapshot.group.epoch ?? 0;
  }

  /** Another mode or policy than at the last tick: every window starts anew, what was observed stays (I12). */
  private heedReload(group: GroupConfig): void {
    const before = this.judgedBy.get(group.name);
    const memory = this.memories.get(group.name);
    this.judgedBy.set(group.name, group);
    if (before === undefined || before === group || memory === undefined) return;
    this.memories.set(group.name, { ...memory, conditionSinceMs: {} });
  }

  private look(group: GroupConfig): Evaluation {
    const snapshot = this.snapshots.build(group.name, this.memories.get(group.name) ?? null);
    return { snapshot, decision: decide(snapshot, group.policy) };
  }
}
