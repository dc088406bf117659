import type { SagaRecord } from '#failover';
import type { Switch } from '../present-switch.js';

/**
 * A rebuild since that switch has begun to delete the old side's topics. Until another one has ended, nothing that stands there
 * may be taken for the old log, nor for a tail: it is gone, or a copy. `butId`: the saga that asks.
 */
export const rebuildBegunBefore = (history: readonly SagaRecord[], of: Switch, butId: string | null = null): boolean =>
  history.some(
    (saga) =>
      saga.kind === 'rebuild' &&
      saga.id !== butId &&
      saga.source === of.to &&
      saga.target === of.from &&
      saga.epoch >= of.epoch &&
      saga.journal.some((e) => e.step === 'remake-topics' && e.event === 'intent'),
  );
