import { UnknownSagaKindError, type SagaKind, type StepName } from '#failover';
import {
  carryOutChoice,
  checkReturned,
  exchangeReturned,
  proveSeamStep,
  rememberReturned,
  reportTailStep,
  reverseReturned,
} from '../rejoin/rejoin-steps.js';
import { REBUILD } from '../rejoin/rebuild-steps.js';
import { announceFailover } from './announce-failover.step.js';
import { catchUp } from './catch-up.step.js';
import { checkPublishable } from './check-publishable.step.js';
import { checkStandby } from './check-standby.step.js';
import { checkTarget } from './check-target.step.js';
import { drainClients } from './drain-clients.step.js';
import { exchangeFence } from './exchange-fence.step.js';
import { fenceSource } from './fence-source.step.js';
import { freezePosition } from './freeze-position.step.js';
import { holdConsumers } from './hold-consumers.step.js';
import { publishPointer } from './publish-pointer.step.js';
import { rememberPlanned, rememberSwitch } from './remember-switch.step.js';
import { reverseFlow } from './reverse-flow.step.js';
import { setOffsets } from './set-offsets.step.js';
import { settleGroups } from './settle-groups.step.js';
import { settleTransactions } from './settle-transactions.step.js';
import type { Step, StepSet } from './step.js';
import { stopReplication } from './stop-replication.step.js';
import { unfenceTarget } from './unfence-target.step.js';
import { verifyPublish } from './verify-publish.step.js';

const SWITCHOVER: StepSet = {
  'check-publishable': checkPublishable,
  announce: announceFailover,
  'settle-groups': settleGroups,
  drain: drainClients,
  'settle-transactions': settleTransactions,
  'fence-source': fenceSource,
  'catch-up': catchUp,
  'hold-consumers': holdConsumers,
  'stop-replication': stopReplication,
  'freeze-position': freezePosition,
  'set-offsets': setOffsets,
  'check-target': checkStandby,
  'unfence-target': unfenceTarget,
  publish: publishPointer,
  'verify-publish': verifyPublish,
  'exchange-fence': exchangeFence,
  reverse: reverseFlow,
  remember: rememberPlanned,
};

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
  switchover: SWITCHOVER,
  failback: SWITCHOVER,
  rejoin: {
    'check-returned': checkReturned,
    'prove-seam': proveSeamStep,
    'report-tail': reportTailStep,
    'carry-out-choice': carryOutChoice,
    'exchange-fence': exchangeReturned,
    reverse: reverseReturned,
    remember: rememberReturned,
  },
  rebuild: REBUILD,
};

/** Throws when the plan names a step that this kind has no effect for: a fault of the tables, found by their test. */
export function stepOf(kind: SagaKind, name: StepName): Step {
  const steps = STEPS[kind];
  if (steps === undefined) throw new UnknownSagaKindError(kind);
  const step = steps[name];
  if (step === undefined) throw new Error(`${name} of a ${kind} is a transaction of the journal and is never driven`);
  return step;
}
