import { UnknownSagaKindError, type SagaKind, type StepName } from '#failover';
import { announceFailover } from './announce-failover.step.js';
import { checkPublishable } from './check-publishable.step.js';
import { checkTarget } from './check-target.step.js';
import { fenceSource } from './fence-source.step.js';
import { freezePosition } from './freeze-position.step.js';
import { publishPointer } from './publish-pointer.step.js';
import { rememberSwitch } from './remember-switch.step.js';
import { setOffsets } from './set-offsets.step.js';
import type { Step } from './step.js';
import { stopReplication } from './stop-replication.step.js';
import { unfenceTarget } from './unfence-target.step.js';
import { verifyPublish } from './verify-publish.step.js';

type StepSet = Readonly<Partial<Record<StepName, Step>>>;

/** Steps with an effect outside the journal, by kind and name; confirm, open and close are the journal's own transactions. */
const STEPS: Readonly<Partial<Record<SagaKind, StepSet>>> = {
  failover: {
    'check-publishable': checkPublishable,
    announce: announceFailover,
    'fence-source': fenceSource,
    'stop-replication': stopReplication,
    'freeze-position': freezePosition,
    'set-offsets': setOffsets,
    'check-target': checkTarget,
    'unfence-target': unfenceTarget,
    publish: publishPointer,
    'verify-publish': verifyPublish,
    remember: rememberSwitch,
  },
};

/** Throws when the plan names a step that this kind has no effect for: a fault of the tables, found by their test. */
export function stepOf(kind: SagaKind, name: StepName): Step {
  const steps = STEPS[kind];
  if (steps === undefined) throw new UnknownSagaKindError(kind);
  const step = steps[name];
  if (step === undefined) throw new Error(`${name} of a ${kind} is a transaction of the journal and is never driven`);
  return step;
}
