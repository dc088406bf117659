import type { StepName } from '#failover';
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

/** Steps with an effect outside the journal; confirm, open and close are the journal's own transactions. */
export const STEPS: Readonly<Record<Exclude<StepName, 'confirm' | 'open' | 'close'>, Step>> = {
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
};
