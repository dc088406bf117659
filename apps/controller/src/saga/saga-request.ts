import {
  isRejoinChoice,
  isResolverStrategy,
  OVERRIDABLE,
  type Json,
  type SagaRecord,
  type SagaRequest,
} from '#failover';
import { evidenceOf, textOf, valueOf } from './saga-journal.js';

/** What a person asked for, as `open` wrote it down; null: nobody asked. */
export function requestOf(saga: SagaRecord): SagaRequest | null {
  const request = valueOf(evidenceOf(saga, 'open'), 'request');
  const by = textOf(request, 'by');
  if (by === null) return null;
  return {
    by,
    reason: textOf(request, 'reason') ?? '',
    acceptUnfencedSource: valueOf(request, 'acceptUnfencedSource') === true,
    ...approvalIn(valueOf(request, 'approval')),
    ...forceIn(valueOf(request, 'force')),
    ...orderIn(valueOf(request, 'rejoin')),
  };
}

function approvalIn(order: Json): Pick<SagaRequest, 'approval'> {
  const identity = textOf(order, 'identity');
  if (identity === null) return {};
  const persons = valueOf(order, 'persons');
  const names = Array.isArray(persons) ? persons.map(String) : [];
  return { approval: { proposal: textOf(order, 'proposal'), identity, persons: names } };
}

function forceIn(force: Json): Pick<SagaRequest, 'force'> {
  const limit = valueOf(force, 'acceptLoss');
  const named = valueOf(force, 'override');
  if (limit === null || !Array.isArray(named)) return {};
  const count = (field: string): number | null => {
    const value = valueOf(limit, field);
    return typeof value === 'number' ? value : null;
  };
  const override = OVERRIDABLE.filter((name) => named.some((each: Json) => each === name));
  return { force: { acceptLoss: { maxRecords: count('maxRecords'), maxMs: count('maxMs') }, override } };
}

function orderIn(order: Json): Pick<SagaRequest, 'rejoin'> {
  const choice = textOf(order, 'choice');
  const strategy = textOf(order, 'strategy');
  const priority = valueOf(order, 'priority');
  if (choice === null || !isRejoinChoice(choice) || strategy === null || !isResolverStrategy(strategy)) return {};
  return {
    rejoin: {
      choice,
      strategy,
      destination: textOf(order, 'destination') === 'topic' ? 'topic' : 'file',
      priority: Array.isArray(priority) ? priority.map(String) : [],
      confirm: textOf(order, 'confirm'),
    },
  };
}
