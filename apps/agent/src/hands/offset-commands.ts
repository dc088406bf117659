import type { Ms } from '#health';
import type { CommandBody, CommandOutput, ConsumerGroupState, PartitionOffset } from '#failover';
import {
  ConnectError,
  decodeSourceOffset,
  isInternalTopic,
  topicMatcher,
  type ClusterHands,
  type ConnectClient,
} from '#kafka';

/** What is left of the command's deadline at the moment of asking; the calls of one command share it. */
export type TimeLeft = () => Ms;

type Body<K extends CommandBody['kind']> = Extract<CommandBody, { kind: K }>;

const CONNECT_OFFSETS = 'connect-offsets';
/** The name that a dedicated MirrorMaker gives its connector in its own offsets topic. */
const DEDICATED_CONNECTOR = 'MirrorSourceConnector';

async function matchingTopics(
  hands: ClusterHands,
  patterns: readonly string[],
  left: TimeLeft,
): Promise<readonly string[]> {
  const layout = await hands.layout(left());
  const matches = topicMatcher(patterns);
  const named = new Set(patterns); // a topic of the product's own counts when it is named in full
  return [...layout.topics.keys()].filter((t) => named.has(t) || (matches(t) && !isInternalTopic(t))).toSorted();
}

export async function readEndOffsets(
  hands: ClusterHands,
  body: Body<'read_end_offsets'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  const topics = await matchingTopics(hands, body.topics, left);
  if (topics.length === 0) return { kind: 'end_offsets', starts: [], ends: [] };
  const [starts, ends] = await Promise.all([
    hands.offsets(topics, 'start', left()),
    hands.offsets(topics, 'end', left()),
  ]);
  return { kind: 'end_offsets', starts, ends };
}

/** N per partition, from the worker; when it does not answer, from the topic in which it stores them. */
export async function readReplicationPosition(
  target: Readonly<{ hands: ClusterHands; connect: ConnectClient | null }>,
  body: Body<'read_replication_position'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  const isWanted = topicMatcher(body.topics);
  const viaConnect = target.connect === null ? null : await positionsByRest(target.connect, body, () => left() / 2);
  const via = viaConnect === null ? 'topic' : 'connect';
  const all = viaConnect ?? (await positionsByTopic(target.hands, body, left));
  return { kind: 'replication_position', positions: all.filter((p) => isWanted(p.topic)), via };
}

async function positionsByRest(
  connect: ConnectClient,
  { connectors, from }: Body<'read_replication_position'>,
  left: TimeLeft,
): Promise<readonly PartitionOffset[] | null> {
  try {
    const [config, offsets] = await Promise.all([
      connect.config(connectors.source, left()),
      connect.offsets(connectors.source, left()),
    ]);
    if (offsets === null) return null;
    const alias = config?.['source.cluster.alias'] ?? from;
    return offsets.flatMap((o) =>
      o.cluster === alias && o.offset !== null ? [{ topic: o.topic, partition: o.partition, offset: o.offset }] : [],
    );
  } catch (error) {
    if (error instanceof ConnectError) return null; // the topic says the same
    throw error;
  }
}

async function positionsByTopic(
  hands: ClusterHands,
  { connectors, from }: Body<'read_replication_position'>,
  left: TimeLeft,
): Promise<readonly PartitionOffset[]> {
  const dedicated = `mm2-offsets.${from}.internal`;
  const layout = await hands.layout(left());
  const newest = new Map<string, PartitionOffset | null>();
  for (const topic of [CONNECT_OFFSETS, dedicated].filter((t) => layout.topics.has(t))) {
    const connector = topic === dedicated ? DEDICATED_CONNECTOR : connectors.source;
    await hands.readTopic(
      topic,
      ({ key, value }) => {
        const entry = key === null ? null : decodeSourceOffset(key, value);
        if (entry === null || entry.connector !== connector) return;
        const { topic: name, partition, offset } = entry;
        newest.set(`${partition}/${name}`, offset === null ? null : { topic: name, partition, offset });
      },
      { deadlineMs: left() },
    );
  }
  return [...newest.values()].filter((p) => p !== null);
}

export async function readGroupOffsets(
  hands: ClusterHands,
  body: Body<'read_group_offsets'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  if (body.groups.length === 0) return { kind: 'group_offsets', offsets: [], states: {} };
  const isWanted = topicMatcher(body.topics);
  const [offsets, states] = await Promise.all([
    hands.groupOffsets(body.groups, left()),
    hands.groupStates(body.groups, left()),
  ]);
  const said: Record<string, ConsumerGroupState> = Object.fromEntries(states);
  return { kind: 'group_offsets', offsets: offsets.filter((o) => isWanted(o.topic)), states: said };
}

/** Only for a group without members; what is answered was read back, whatever the outcome. */
export async function applyGroupOffsets(
  hands: ClusterHands,
  body: Body<'apply_group_offsets'>,
  left: TimeLeft,
): Promise<CommandOutput> {
  const { group } = body;
  const state = (await hands.groupStates([group], left())).get(group) ?? 'UNKNOWN';
  const busy = state === 'STABLE' || state === 'REBALANCING';
  const outcome = busy ? 'active' : await hands.applyGroupOffsets(group, body.offsets, left());
  const wanted = new Set(body.offsets.map((o) => `${o.partition}/${o.topic}`));
  const now = await hands.groupOffsets([group], left());
  const offsets = now
    .filter((o) => wanted.has(`${o.partition}/${o.topic}`))
    .map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  return { kind: 'applied', outcome, offsets };
}
