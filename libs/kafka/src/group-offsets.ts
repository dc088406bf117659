import { describeGroupsV5, offsetCommitV8, offsetDeleteV0, offsetFetchV8 } from '@platformatic/kafka';
import { toCommitted } from './codec.js';
import { KafkaCallError } from './kafka-error.js';
import { type Budget, groupBy, type RoutedCalls, UNKNOWN_TOPIC } from './routed-calls.js';
import type { ApplyOutcome, CommittedOffset, GroupState, OffsetEntry, PartitionSet } from './ports.js';

/** What is asked of a consumer group's coordinator. Somebody in the group is an outcome, not an error. */

const NO_GENERATION = -1;
/** UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, NON_EMPTY_GROUP, GROUP_SUBSCRIBED_TO_TOPIC, STALE_MEMBER_EPOCH. */
const GROUP_ACTIVE_CODES: ReadonlySet<number> = new Set([25, 22, 27, 68, 86, 113]);
const GROUP_ID_NOT_FOUND = 69;

const GROUP_STATES: Readonly<Record<string, GroupState>> = {
  Empty: 'EMPTY',
  Stable: 'STABLE',
  PreparingRebalance: 'REBALANCING',
  CompletingRebalance: 'REBALANCING',
  Assigning: 'REBALANCING',
  Reconciling: 'REBALANCING',
  Dead: 'DEAD',
};

export async function fetchCommitted(
  calls: RoutedCalls,
  groups: readonly string[],
  budget: Budget,
): Promise<readonly CommittedOffset[]> {
  const asked = await calls.byCoordinator('OffsetFetch', groups, budget, async (c, part) => {
    const wanted = part.map((groupId) => ({ groupId, memberId: null, memberEpoch: -1, topics: null }));
    return toCommitted(await offsetFetchV8.api.async(c, wanted, false));
  });
  return asked.flat();
}

export async function describeStates(
  calls: RoutedCalls,
  groups: readonly string[],
  budget: Budget,
): Promise<ReadonlyMap<string, GroupState>> {
  const asked = await calls.byCoordinator('DescribeGroups', groups, budget, async (c, part) => {
    const reply = await describeGroupsV5.api.async(c, [...part], false);
    return reply.groups.map((g) => [g.groupId, GROUP_STATES[g.groupState] ?? 'UNKNOWN'] as const);
  });
  return new Map(asked.flat());
}

export async function commitOffsets(
  calls: RoutedCalls,
  group: string,
  offsets: readonly OffsetEntry[],
  budget: Budget,
): Promise<ApplyOutcome> {
  const topics = [...groupBy(offsets, (o) => o.topic)].map(([name, list]) => ({
    name,
    partitions: list.map((o) => ({
      partitionIndex: o.partition,
      committedOffset: BigInt(o.offset),
      committedLeaderEpoch: -1,
      committedMetadata: '',
    })),
  }));
  try {
    await calls.byCoordinator('OffsetCommit', [group], budget, (c) =>
      offsetCommitV8.api.async(c, group, NO_GENERATION, '', null, topics),
    );
    return 'applied';
  } catch (error) {
    if (!(error instanceof KafkaCallError) || error.errorCode === null) throw error;
    if (GROUP_ACTIVE_CODES.has(error.errorCode)) return 'active';
    if (error.errorCode === UNKNOWN_TOPIC) return 'unknown_topic';
    throw error;
  }
}

export async function deleteCommitted(
  calls: RoutedCalls,
  group: string,
  of: PartitionSet,
  budget: Budget,
): Promise<'removed' | 'active'> {
  const topics = [...of].map(([name, partitions]) => ({
    name,
    partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
  }));
  if (topics.length === 0) return 'removed';
  try {
    await calls.byCoordinator('OffsetDelete', [group], budget, (c) => offsetDeleteV0.api.async(c, group, topics));
    return 'removed';
  } catch (error) {
    if (!(error instanceof KafkaCallError) || error.errorCode === null) throw error;
    if (GROUP_ACTIVE_CODES.has(error.errorCode)) return 'active';
    if (error.errorCode === GROUP_ID_NOT_FOUND) return 'removed'; // nothing was ever committed
    throw error;
  }
}
