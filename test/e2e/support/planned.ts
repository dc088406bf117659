import { type LabIdc, waitFor } from '#lab';
import { GROUP } from '../../../tools/installation/index.js';
import type { Stage } from './stage.js';

export type Operation = Readonly<{
  done: boolean;
  outcome: string | null;
  reason: string | null;
  openedAt: string;
  steps: readonly Readonly<{ step: string; direction: string; event: string; at: string; summary: string | null }>[];
}>;

type Asked = Pick<Stage, 'installation'>;

/** Asks whoever leads for a planned switch until it is taken; the saga's id. The old side may stay open: these labs have no ACLs. */
export async function askForSwitch(
  { installation }: Asked,
  to: 'a' | 'b',
  seenBy?: readonly LabIdc[],
): Promise<string> {
  const body = { target: to, reason: `to ${to}`, by: 'e2e', acceptUnfencedSource: true };
  return await waitFor(
    `the switch to ${to} is taken`,
    async () => {
      const leader = await installation.leader(seenBy);
      if (leader === null) throw new Error('nobody leads');
      const { epoch } = await installation.group(leader);
      const answer = await installation.api(leader).post(`/v1/groups/${GROUP}/switchover`, body, epoch);
      if (answer.status === 202) return (answer.body as { readonly saga: string }).saga;
      throw new Error(JSON.stringify(answer.body));
    },
    { timeoutMs: 60_000, pollMs: 500 },
  );
}

export async function endOfSwitch({ installation }: Asked, saga: string, timeoutMs = 120_000): Promise<Operation> {
  return await waitFor(
    `saga ${saga} ends`,
    async () => {
      const now = await installation.api('c').get<Operation>(`/v1/operations/${saga}`);
      return now.done ? now : undefined;
    },
    { timeoutMs, pollMs: 250 },
  );
}

/** What it did, a line per step: for the message of a failed expectation. */
export const told = ({ steps }: Operation): readonly string[] =>
  steps.filter((s) => s.event !== 'intent').map((s) => `${s.direction} ${s.step} ${s.event}: ${s.summary ?? ''}`);

/** How long it took and where the time went, in words. */
export function timesOf({ openedAt, steps }: Operation): string {
  const at = (step: string, event: string): number =>
    Date.parse(steps.find((s) => s.step === step && s.event === event)?.at ?? '');
  const done = steps.filter((s) => s.event === 'done');
  const slow = done
    .map((s, i) => [s.step, Date.parse(s.at) - Date.parse(done[i - 1]?.at ?? openedAt)] as const)
    .filter(([, ms]) => ms >= 500)
    .map(([step, ms]) => `${step} ${ms}`);
  const all = Date.parse(steps.at(-1)?.at ?? openedAt) - Date.parse(openedAt);
  return `published ${at('publish', 'done') - at('drain', 'intent')} ms after drain began, ${all} ms in all (${slow.join(', ')})`;
}
