import { describeTransactionsV0, initProducerIdV4, listTransactionsV1, type Connection } from '@platformatic/kafka';
import type { Ms } from '#health';
import { pause } from './deadline.js';
import { failureOfCode, KafkaCallError } from './kafka-error.js';
import type { ClusterTransactions, OpenTransactionEntry } from './ports.js';
import { Budget, tolerate, TRANSACTION_KEY, type RoutedCalls } from './routed-calls.js';

/** Begun and not ended: their records are hidden from readers of committed records. Everything else is `Empty`, `Complete…`, `Dead`. */
const OPEN_STATES: ReadonlyMap<string, OpenTransactionEntry['state']> = new Map([
  ['Ongoing', 'ongoing'],
  ['PrepareCommit', 'ending'],
  ['PrepareAbort', 'ending'],
  ['PrepareEpochFence', 'ending'],
]);
const TRANSACTIONAL_ID_NOT_FOUND = 105;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;
/** Ended, or not ours to see, since it was listed. */
const GONE_CODES: ReadonlySet<number> = new Set([TRANSACTIONAL_ID_NOT_FOUND, TRANSACTIONAL_ID_AUTHORIZATION_FAILED]);
/** The markers of what was aborted are still being written. */
const CONCURRENT_TRANSACTIONS = 51;
const RETRY_PAUSE_MS = 100;
const ANY_DURATION = -1n;
const NO_PRODUCER = -1;

/** {@link ClusterTransactions} on the connections of the hands that it belongs to. */
export class PlatformaticTransactions implements ClusterTransactions {
  readonly #calls: RoutedCalls;

  constructor(calls: RoutedCalls) {
    this.#calls = calls;
  }

  async open(deadlineMs: Ms): Promise<readonly OpenTransactionEntry[]> {
    const budget = new Budget(deadlineMs);
    const { brokers } = await this.#calls.layout([], budget);
    const leftMs = budget.require('ListTransactions');
    // Each broker knows those that it coordinates: an answer that lacks one broker's part is none.
    const lists = await Promise.all(
      brokers.map((b) => this.#calls.at(b.address, 'ListTransactions', leftMs, listOpen)),
    );
    const ids = [...new Set(lists.flat())];
    if (ids.length === 0) return [];
    const found = await this.#calls.byCoordinator('DescribeTransactions', ids, budget, describe, TRANSACTION_KEY);
    return found.flat();
  }

  async abort(transactionalId: string, deadlineMs: Ms): Promise<void> {
    const budget = new Budget(deadlineMs);
    const init = (c: Connection) =>
      tolerate(
        initProducerIdV4.api.async(c, transactionalId, Math.ceil(deadlineMs), BigInt(NO_PRODUCER), NO_PRODUCER),
      ).then(({ errorCode }) => {
        if (errorCode !== 0 && errorCode !== CONCURRENT_TRANSACTIONS)
          throw new KafkaCallError(`InitProducerId of ${transactionalId}`, failureOfCode(errorCode, 'refused'));
        return errorCode;
      });
    for (;;) {
      const [code] = await this.#calls.byCoordinator(
        'InitProducerId',
        [transactionalId],
        budget,
        init,
        TRANSACTION_KEY,
      );
      if (code === 0) return;
      await pause(RETRY_PAUSE_MS);
    }
  }
}

async function listOpen(c: Connection): Promise<readonly string[]> {
  // Filtered here: the library's names of states are not those of the protocol.
  const { transactionStates } = await listTransactionsV1.api.async(c, [], [], ANY_DURATION, null);
  return transactionStates.filter((t) => OPEN_STATES.has(t.transactionState)).map((t) => t.transactionalId);
}

async function describe(c: Connection, ids: readonly string[]): Promise<readonly OpenTransactionEntry[]> {
  const { transactionStates } = await tolerate(describeTransactionsV0.api.async(c, [...ids]));
  return transactionStates.flatMap((t): OpenTransactionEntry[] => {
    if (t.errorCode !== 0 && !GONE_CODES.has(t.errorCode))
      throw new KafkaCallError(`DescribeTransactions of ${t.transactionalId}`, failureOfCode(t.errorCode, 'refused'));
    const state = OPEN_STATES.get(t.transactionState);
    if (t.errorCode !== 0 || state === undefined) return [];
    const partitions = t.topics.flatMap(({ topic, partitions: list }) =>
      list.map((partition) => ({ topic, partition })),
    );
    return [
      {
        transactionalId: t.transactionalId,
        state,
        startedAtMs: Math.max(0, Number(t.transactionStartTimeMs)),
        partitions,
      },
    ];
  });
}
