import { breakGlassId, type Pointer } from '#config-center';
import type { SagaRecord } from '#failover';
import type { GroupRow } from '../persistence/authority-store.port.js';

/** What the leader finds when it compares the store's view of a group with the config center (I3). */
export type GroupFinding =
  | Readonly<{ kind: 'agree' }>
  | Readonly<{ kind: 'create' }> // neither knows it: the act that creates the group
  | Readonly<{ kind: 'finish-creation' }> // created here, its first publication not yet recorded
  | Readonly<{ kind: 'adopt'; pointer: Pointer }> // a saga of ours published and died before it could say so
  | Readonly<{ kind: 'freeze'; reason: string; pointer: Pointer | null }>;

export type GroupEvidence = Readonly<{
  row: GroupRow | null;
  pointer: Pointer | null;
  hasOpenSaga: boolean; // its publication is its own business
  publisher: SagaRecord | null; // the saga that the pointer names, if the store knows it and it is of this group
  firstCluster: string;
}>;

/** What most looks find. Whatever sagas there are, nothing is to be done, so nobody need ask for them. */
export const agree = (row: GroupRow | null, pointer: Pointer | null): boolean =>
  row !== null &&
  pointer !== null &&
  row.epoch > 0 &&
  pointer.epoch === row.epoch &&
  pointer.epoch <= row.reservedEpoch &&
  pointer.activeCluster === row.active;

/** Nothing of a stranger's is ever overwritten: whatever is not explained freezes the group until a person looks. */
export function judgeGroup(seen: GroupEvidence): GroupFinding {
  const { row, pointer } = seen;
  if (seen.hasOpenSaga) return { kind: 'agree' };
  // Also of a frozen group: an acknowledgement must find the view that clients have, whatever it froze for.
  if (row !== null && pointer !== null && isOurs(seen, row, pointer)) return { kind: 'adopt', pointer };
  if (row !== null && row.frozen !== null && !movedSince(row, pointer)) return { kind: 'agree' };
  if (row === null) {
    if (pointer === null) return { kind: 'create' };
    return freeze(`the config center holds epoch ${pointer.epoch} of a group that this store does not know`, pointer);
  }
  if (row.epoch === 0) return judgeNewborn(seen, row);
  if (pointer === null)
    return freeze('the config center lost the pointer of a known group: restore it from its backup', null);
  if (pointer.epoch > row.reservedEpoch) {
    return freeze(
      `the config center holds epoch ${pointer.epoch}, above the highest reserved ${row.reservedEpoch}`,
      pointer,
    );
  }
  if (pointer.epoch < row.epoch) {
    return freeze(`the config center went back to epoch ${pointer.epoch} from ${row.epoch}`, null);
  }
  if (agree(row, pointer)) return { kind: 'agree' };
  return freeze(
    `foreign content at epoch ${pointer.epoch}: ${pointer.activeCluster} active, not published by this store`,
    pointer,
  );
}

const isOurs = ({ publisher }: GroupEvidence, row: GroupRow, { epoch }: Pointer): boolean =>
  row.epoch > 0 && epoch > row.epoch && epoch <= row.reservedEpoch && publisher !== null;
/** Frozen already, by a saga that found the pointer taken over, or by an earlier act: the newest act by hand is what clients see. */
const movedSince = (row: GroupRow, pointer: Pointer | null): boolean =>
  pointer !== null && breakGlassId(pointer) !== null && pointer.epoch > row.reservedEpoch;

function judgeNewborn(seen: GroupEvidence, row: GroupRow): GroupFinding {
  const { pointer } = seen;
  const first =
    pointer === null ||
    (pointer.epoch <= row.reservedEpoch && pointer.sagaId === null && pointer.activeCluster === seen.firstCluster);
  return first
    ? { kind: 'finish-creation' }
    : freeze(`foreign content at epoch ${pointer.epoch} of a group being created`, pointer);
}

/** An act of break-glass is said: it is no stranger's, and its evidence lies with who did it. */
function freeze(reason: string, pointer: Pointer | null): GroupFinding {
  const act = pointer === null ? null : breakGlassId(pointer);
  const byHand = act === null ? '' : `: break-glass ${act} made ${pointer?.activeCluster ?? ''} active`;
  return { kind: 'freeze', reason: `${reason}${byHand}`, pointer };
}
