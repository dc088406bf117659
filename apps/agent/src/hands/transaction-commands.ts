import type { CommandBody, CommandOutput } from '#failover';
import { isInternalTopic, KafkaCallError, topicMatcher, type ClusterTransactions } from '#kafka';
import type { TimeLeft } from './offset-commands.js';

type Body<K extends CommandBody['kind']> = Extract<CommandBody, { kind: K }>;

/** Open transactions that have written to any of these topics. */
export async function listTransactions(
  transactions: ClusterTransactions,
  { topics }: Body<'list_transactions'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  const matches = topicMatcher(topics);
  const open = (await transactions.open(left())).flatMap((t) => {
    const partitions = t.partitions.filter(({ topic }) => matches(topic) && !isInternalTopic(topic));
    return partitions.length === 0 ? [] : [{ ...t, partitions }];
  });
  return { kind: 'open_transactions', open };
}

/** One after the other; what one coordinator refuses does not keep the others open. */
export async function abortTransactions(
  transactions: ClusterTransactions,
  { transactionalIds }: Body<'abort_transactions'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  const aborted: string[] = [];
  const refused: { transactionalId: string; detail: string }[] = [];
  for (const transactionalId of transactionalIds) {
    try {
      await transactions.abort(transactionalId, left());
      aborted.push(transactionalId);
    } catch (error) {
      if (!(error instanceof KafkaCallError)) throw error;
      refused.push({ transactionalId, detail: error.message });
    }
  }
  return { kind: 'aborted_transactions', aborted, refused };
}
