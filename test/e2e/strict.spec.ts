import { expect, it } from 'vitest';
import { type Lab, labLogin, waitFor } from '#lab';
import { logEnds } from '../../tools/demo/log-ends.js';
import { LogReader } from '../../tools/demo/log-reader.js';
import type { LogRecord } from '../../tools/demo/proof.js';
import { GROUP } from '../../tools/installation/index.js';
import { figure } from './support/figures.js';
import { staysFor } from './support/hold.js';
import { Load } from './support/load.js';
import { type Operation, told } from './support/planned.js';
import { type Attempt, PlainWriter } from './support/plain-writer.js';
import { TOPIC } from './support/stage.js';
import { onStand, type Stand } from './support/stand.js';

const SELF_FENCE_AFTER = '6s';
const FOLLOW_MS = 90_000;
const HOLDS_MS = 6_000;

type Armed = Readonly<{ selfFence: Readonly<{ armed: boolean; says: string }> | null }>;

/** Unix milliseconds of an attempt's end: as soon as its client can have known. */
const endedAt = ({ endedMs }: Attempt): number => performance.timeOrigin + endedMs;

it('strict: a cut-off IDC closes itself first; from the publication on a producer inside it is never acknowledged', async () => {
  const installation = { firstLeader: 'c', group: { selfFenceAfter: SELF_FENCE_AFTER } } as const;
  await onStand({ lab: { security: 'sasl' }, installation }, async (stand) => {
    const load = await Load.start(stand.lab);
    const { lab } = stand;
    const inside = PlainWriter.start(lab.bootstrapServers('a', 'a'), TOPIC, labLogin(lab.security, 'app'));
    try {
      await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
      await isArmed(stand);
      await play(stand, load, inside);
    } finally {
      await inside.close();
      await load.stop();
    }
  });
}, 240_000);

async function isArmed({ installation }: Stand): Promise<void> {
  await waitFor(
    'the self-fence of a is armed',
    async () => {
      const { selfFence } = await installation.api('c').get<Armed>(`/v1/groups/${GROUP}`);
      return selfFence?.armed === true ? true : undefined;
    },
    { timeoutMs: FOLLOW_MS },
  );
}

async function play(stand: Stand, load: Load, inside: PlainWriter): Promise<void> {
  const { lab, installation, store } = stand;
  const cutAtMs = Date.now();
  await Promise.all([lab.cut('a', 'b'), lab.cut('a', 'c')]);
  const pointer = await installation.waitForPointer('b', 1, FOLLOW_MS);
  const endsAtPublish = await logEnds(lab.kafka('a'), TOPIC); // past the proxy: no cut hides the log from this look
  await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');
  const [saga] = await store.sagas();
  expect(await store.waitForOutcome(saga?.id ?? '', FOLLOW_MS)).toBe('DONE');
  const operation = await installation.api('c').get<Operation>(`/v1/operations/${saga?.id ?? ''}`);
  const fence = told(operation).find((line) => line.startsWith('do fence-source'));
  expect(fence).toMatch(/agent-a was armed and is silent, .*: a closed itself at the latest/);
  await staysFor('a stays closed behind the cut', HOLDS_MS, () => grown(lab, endsAtPublish));

  await Promise.all([lab.heal('a', 'b'), lab.heal('a', 'c')]);
  await installation.waitForGroup('row 600', (g) => g.row === 600, { timeoutMs: FOLLOW_MS });
  await staysFor('a stays closed after the heal', HOLDS_MS, () => grown(lab, endsAtPublish));
  await inside.close();

  // The intent stands in the journal before the publication leaves: nothing may be acknowledged from there on.
  const publishing = operation.steps.find((s) => s.step === 'publish' && s.event === 'intent');
  const publishedAtMs = Date.parse(publishing?.at ?? '');
  const accepted = inside.attempts.filter((a) => a.outcome === 'accepted');
  const after = inside.attempts.filter((a) => endedAt(a) >= publishedAtMs);
  const [onA, onB] = [await recordsOf(lab, 'a'), await recordsOf(lab, 'b')];
  const late = onA.filter((r) => Number(r.timestamp) >= publishedAtMs);
  const [firstRefused, lastAccepted] = [inside.first('refused'), accepted.at(-1)];
  if (firstRefused === undefined || lastAccepted === undefined) throw new Error('a never closed itself');
  figure(
    `cut at 0 ms; inside a the last record was acknowledged after ${Math.round(endedAt(lastAccepted) - cutAtMs)} ms and ` +
      `the first refused after ${Math.round(endedAt(firstRefused) - cutAtMs)} ms; b published after ` +
      `${publishedAtMs - cutAtMs} ms at epoch ${pointer.epoch}; of ${after.length} attempts since then ` +
      `${after.filter((a) => a.outcome === 'accepted').length} were acknowledged, ${late.length} records on a are later; ` +
      `a holds ${onA.length} records, b ${onB.length}`,
  );
  expect(accepted.filter((a) => endedAt(a) > cutAtMs + 1_000).length).toBeGreaterThan(50); // a lived on behind the cut
  expect(after.length).toBeGreaterThan(100);
  expect(after.filter((a) => a.outcome !== 'refused')).toEqual([]);
  expect(late).toEqual([]);
  expect(endedAt(lastAccepted)).toBeLessThan(publishedAtMs);
  const written = new Set(onA.map((r) => r.id));
  expect(acknowledgedBy(inside).filter((id) => !written.has(id))).toEqual([]);
  const copied = onB.filter((r) => isPlain(r) && Number(r.timestamp) > cutAtMs + 1_000);
  expect(copied).toEqual([]); // what got in behind the cut stays there until a rejoin
}

/** Says which partition of a got longer. */
async function grown(lab: Lab, before: ReadonlyMap<number, bigint>): Promise<string | undefined> {
  const ends = await logEnds(lab.kafka('a'), TOPIC);
  const longer = [...ends].filter(([partition, end]) => end !== before.get(partition));
  return longer.length === 0 ? undefined : `records were added: ${longer.map(([p, end]) => `${p} to ${end}`).join()}`;
}

async function recordsOf(lab: Lab, cluster: 'a' | 'b'): Promise<readonly LogRecord[]> {
  const reader = await LogReader.start(lab.kafka(cluster), TOPIC);
  try {
    await reader.readToEnd(30_000);
    return [...reader.records];
  } finally {
    await reader.close();
  }
}

/** Each attempt's record has its number for a key. */
const acknowledgedBy = ({ attempts }: PlainWriter): readonly string[] =>
  attempts.flatMap(({ outcome }, number) => (outcome === 'accepted' ? [`plain-${number}`] : []));

const isPlain = (r: LogRecord): boolean => r.id.startsWith('plain-');
