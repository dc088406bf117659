import type { Ms } from '#health';
import type { CommandBody, PartitionOffset, SeededOutput } from '#failover';
import { ConnectError, monotonicMs, pause, type ClusterHands, type ConnectClient, type ConnectorOffset } from '#kafka';
import type { TimeLeft } from './offset-commands.js';

type SeedFlow = Extract<CommandBody, { kind: 'seed_flow' }>;
type Target = Readonly<{ connect: ConnectClient; ownCluster: Pick<ClusterHands, 'layout'> }>;
type Look =
  | Readonly<{ ok: true; alias: string; stored: ReadonlyMap<string, number> }>
  | Readonly<{ ok: false; outcome: 'not_stopped' | 'absent' | 'wrong_source'; detail: string }>;

/** One request of this many partitions takes the worker well under a second. */
const BATCH = 500;
const CALL_MS = 3_000;
const POLL_MS = 150;
const MAX_SENDS = 8;
const MAX_DIFFERENT = 50;
/** After a request without an answer, what is read must hold this long to be believed: the request may still be carried out. */
const SETTLE_MS = 1_500;

/**
 * Tells a stopped flow where to go on: Connect's stored offset becomes S − 1 for each partition, so that only records from S on
 * are copied. S = 0 has no entry; one from an earlier direction is deleted. An unseeded flow would copy all history, and under
 * IdentityReplicationPolicy for ever.
 *
 * Connect checks neither cluster nor topic of what it is sent, so only what is read back counts. Nothing is sent to a worker
 * whose own cluster has not just answered: the request would be carried out when that cluster returns.
 *
 * @throws {KafkaCallError | ConnectError} when cluster or worker does not answer; nothing was sent then, or `stateUnknown` says so.
 */
export async function seedFlow(target: Target, body: SeedFlow, left: TimeLeft): Promise<SeededOutput> {
  let unsettledSinceMs: Ms | null = null;
  let problem: ConnectError | null = null;
  for (let sends = 0; ;) {
    const look = await lookAt(target, body, left);
    if (!look.ok) return { kind: 'seeded', outcome: look.outcome, equal: 0, different: [], detail: look.detail };
    const different = body.positions.filter((p) => look.stored.get(keyOf(p)) !== wanted(p));
    const settled = unsettledSinceMs === null || monotonicMs() - unsettledSinceMs >= SETTLE_MS;
    if (different.length === 0 && settled) return seeded(body, look.alias);
    if (left() <= POLL_MS || sends === MAX_SENDS) return mismatch(body, look.stored, different, problem);
    if (different.length > 0) {
      sends += 1;
      problem = await send(target, body, look.alias, different, left);
      if (problem?.stateUnknown) unsettledSinceMs = monotonicMs();
    }
    if (different.length === 0 || problem !== null) await pause(POLL_MS);
  }
}

async function lookAt({ connect, ownCluster }: Target, body: SeedFlow, left: TimeLeft): Promise<Look> {
  const { source } = body.connectors;
  const callMs = Math.min(CALL_MS, left());
  const [, status, config, offsets] = await Promise.all([
    ownCluster.layout(callMs),
    connect.status(source, callMs),
    connect.config(source, callMs),
    connect.offsets(source, callMs), // the worker reads them from its own cluster: silence here stops us too
  ]);
  if (status === null || offsets === null) {
    return { ok: false, outcome: 'absent', detail: `connector ${source} does not exist: create it STOPPED` };
  }
  if (status.state !== 'STOPPED' || status.tasks.length > 0) {
    const tasks = status.tasks.map((t) => t.state).join(',');
    return { ok: false, outcome: 'not_stopped', detail: `${source} is ${status.state} [${tasks}]: stop it first` };
  }
  const alias = config?.['source.cluster.alias'];
  if (alias === undefined) {
    return {
      ok: false,
      outcome: 'wrong_source',
      detail: `${source} names no source.cluster.alias: not a mirror source`,
    };
  }
  return { ok: true, alias, stored: storedOf(offsets, alias) };
}

/** Only entries of the flow's own alias: others are never read by its tasks. */
const storedOf = (offsets: readonly ConnectorOffset[], alias: string): ReadonlyMap<string, number> =>
  new Map(offsets.flatMap((o) => (o.cluster === alias && o.offset !== null ? [[keyOf(o), o.offset]] : [])));

/** In batches; before each one the worker's own cluster answers anew. @returns what went wrong, if anything. */
async function send(
  target: Target,
  { connectors }: SeedFlow,
  alias: string,
  different: readonly PartitionOffset[],
  left: TimeLeft,
): Promise<ConnectError | null> {
  for (let i = 0; i < different.length && left() > POLL_MS; i += BATCH) {
    const entries = different
      .slice(i, i + BATCH)
      .map((p) => ({ cluster: alias, topic: p.topic, partition: p.partition, offset: wanted(p) ?? null }));
    if (i > 0) await target.ownCluster.layout(Math.min(CALL_MS, left()));
    try {
      await target.connect.alterOffsets(connectors.source, entries, Math.min(CALL_MS, left()));
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      return error; // 409 while its group rebalances, a time-out: look again before anything else is sent
    }
  }
  return null;
}

const seeded = (body: SeedFlow, alias: string): SeededOutput => ({
  kind: 'seeded',
  outcome: 'seeded',
  equal: body.positions.length,
  different: [],
  detail: `${body.positions.length} partitions of ${alias} read back from ${body.connectors.source}`,
});

const mismatch = (
  body: SeedFlow,
  stored: ReadonlyMap<string, number>,
  different: readonly PartitionOffset[],
  problem: ConnectError | null,
): SeededOutput => ({
  kind: 'seeded',
  outcome: 'different',
  equal: body.positions.length - different.length,
  different: different.slice(0, MAX_DIFFERENT).map((p) => ({ ...p, offset: stored.get(keyOf(p)) ?? -1 })),
  detail: problem?.message ?? 'what was read back is not what was asked',
});

/** What Connect stores: the last offset copied. Nothing at all when the flow is to begin at the very start. */
const wanted = (p: PartitionOffset): number | undefined => (p.offset <= 0 ? undefined : p.offset - 1);
const keyOf = (p: Readonly<{ topic: string; partition: number }>): string => `${p.partition}/${p.topic}`;
