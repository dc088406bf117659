import { decide, defaultPolicy, sampleSnapshot } from '#failover';
import type { Policy, Snapshot } from '#failover';
import type { Decisions, Evaluation } from '../../apps/controller/src/decision/decision.port.js';

/** Decisions on snapshots that the test lays down; judged by the real decide(). */
export class FakeDecisions implements Decisions {
  private readonly evaluations = new Map<string, Evaluation>();

  constructor(readonly policy: Policy = defaultPolicy) {}

  see(over: Partial<Snapshot> = {}): Evaluation {
    const snapshot = sampleSnapshot(over);
    const evaluation = { snapshot, decision: decide(snapshot, this.policy) };
    this.evaluations.set(snapshot.group.name, evaluation);
    return evaluation;
  }

  latest(group: string): Evaluation | null {
    return this.evaluations.get(group) ?? null;
  }

  evaluate(group: string): Evaluation {
    const latest = this.latest(group);
    if (!latest) throw new Error(`group ${group} is not configured`);
    return latest;
  }

  failoverIncident(group: string): string {
    return `${group}-incident`;
  }

  returnIncident(group: string): string {
    return `${group}-return`;
  }
}
