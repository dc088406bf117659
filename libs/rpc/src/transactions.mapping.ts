import type { OpenTransaction, TransactionCommand, TransactionOutput } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { enumCodec } from './wire.js';

const state = enumCodec<OpenTransaction['state']>({
  ongoing: pb.TransactionState.TRANSACTION_STATE_ONGOING,
  ending: pb.TransactionState.TRANSACTION_STATE_ENDING,
});

type WireCommand = Extract<
  NonNullable<pb.Command['body']>,
  { $case: 'listTransactions' } | { $case: 'abortTransactions' }
>;
type WireOutput = Extract<
  NonNullable<pb.CommandResult['outcome']>,
  { $case: 'openTransactions' } | { $case: 'abortedTransactions' }
>;

export function transactionCommandToWire(b: TransactionCommand): WireCommand {
  const { cluster } = b;
  return b.kind === 'list_transactions'
    ? { $case: 'listTransactions', listTransactions: { cluster, topics: b.topics } }
    : { $case: 'abortTransactions', abortTransactions: { cluster, transactionalIds: b.transactionalIds } };
}

export const transactionCommandFromWire = (b: WireCommand): TransactionCommand =>
  b.$case === 'listTransactions'
    ? { kind: 'list_transactions', ...b.listTransactions }
    : { kind: 'abort_transactions', ...b.abortTransactions };

export const transactionOutputToWire = (o: TransactionOutput): WireOutput =>
  o.kind === 'aborted_transactions'
    ? { $case: 'abortedTransactions', abortedTransactions: { aborted: o.aborted, refused: o.refused } }
    : {
        $case: 'openTransactions',
        openTransactions: { open: o.open.map((t) => ({ ...t, state: state.toWire(t.state) as pb.TransactionState })) },
      };

/** A state that is not understood is one of an open transaction nevertheless. */
export const transactionOutputFromWire = (o: WireOutput): TransactionOutput =>
  o.$case === 'abortedTransactions'
    ? { kind: 'aborted_transactions', ...o.abortedTransactions }
    : {
        kind: 'open_transactions',
        open: o.openTransactions.open.map((t) => ({ ...t, state: state.fromWire(t.state) ?? 'ongoing' })),
      };
