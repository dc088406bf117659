import type { SagaRecord } from '#failover';
import type { AuthorityStore, LedgerRow } from '../persistence/authority-store.port.js';
import { undoEpoch } from './saga-journal.js';

/** The switch that left `from` for `to`; its rows carry S, N and E_a per partition. */
export type Switch = Readonly<{ epoch: number; from: string; to: string; rows: readonly LedgerRow[] }>;

/** The group's row: which cluster is active, and the epoch of the last publication that it knows. */
export type Standing = Readonly<{ group: string; active: string; epoch: number }>;

type Store = Pick<AuthorityStore, 'sagas' | 'ledger'>;

/** Sagas looked through at first; the one that made the switch is nearly always among them. */
const HISTORY = 50;

/**
 * The switch by which the active cluster became active, if it left `from`. Not the newest of the ledger: that keeps what a saga
 * froze before it walked back, and after break-glass it knows only of older switches between the same clusters, whose S lies
 * far behind. Null: nobody can say what only `from` holds.
 */
export async function presentSwitch(store: Store, at: Standing, from: string): Promise<Switch | null> {
  const epoch = await switchEpoch(store, at);
  if (epoch === null) return null;
  const rows = (await store.ledger(at.group, epoch)).filter((row) => row.from === from && row.to === at.active);
  return rows.length === 0 ? null : { epoch, from, to: at.active, rows };
}

/** Its epoch; null: no saga of this store made the cluster active, but the group's creation, break-glass or a stranger. */
export async function switchEpoch(store: Pick<Store, 'sagas'>, at: Standing): Promise<number | null> {
  for (let limit = HISTORY; ; limit *= 2) {
    const history = await store.sagas(at.group, limit);
    const { saga, epoch } = trace(history, at);
    // What an older one published lies below the epoch of every later one.
    const further = saga === null && history.length === limit && history.every((s) => s.epoch > epoch);
    if (!further) return saga?.epoch ?? null;
  }
}

/**
 * From the row's epoch back to the saga that moved the pointer: each epoch is one that a saga published, and a saga that did not
 * move it began at the epoch before. `epoch`: the last one that was looked for.
 */
function trace(
  history: readonly SagaRecord[],
  at: Omit<Standing, 'group'>,
): Readonly<{ saga: SagaRecord | null; epoch: number }> {
  const saga = history.find((s) => hasMoved(s, at)) ?? null;
  const stayed = history.find((s) => hasStayed(s, at));
  if (saga !== null || stayed === undefined) return { saga, epoch: at.epoch };
  return trace(history, { ...at, epoch: stayed.fromEpoch });
}

/** Its publication was attempted, and the row stands at its epoch: it arrived. */
const hasMoved = (saga: SagaRecord, { active, epoch }: Omit<Standing, 'group'>): boolean =>
  saga.epoch === epoch && saga.target === active && hasBegun(saga, 'publish');

/** Published the cluster that was active already: walking back, or a DRAIN or HOLD that nobody took back. */
const hasStayed = (saga: SagaRecord, { active, epoch }: Omit<Standing, 'group'>): boolean => {
  const told = hasBegun(saga, 'drain') && saga.fromEpoch < epoch && epoch < saga.epoch;
  return saga.source === active && saga.fromEpoch < epoch && (told || undoEpoch(saga) === epoch);
};

const hasBegun = (saga: SagaRecord, step: 'publish' | 'drain'): boolean =>
  saga.journal.some((e) => e.step === step && e.direction === 'do' && e.event === 'intent');
