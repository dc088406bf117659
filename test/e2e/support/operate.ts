import { expect } from 'vitest';
import { waitFor } from '#lab';
import { GROUP } from '../../../tools/installation/index.js';
import type { Stage } from './stage.js';

type Operation = Readonly<{ done: boolean; outcome: string | null; reason: string | null }>;

/** Asks the leader, which may change meanwhile; the saga must end DONE. */
export async function operate(
  stage: Pick<Stage, 'installation'>,
  act: string,
  body: object,
  epoch: number,
  group = GROUP,
): Promise<void> {
  const { installation } = stage;
  let said = '';
  const saga = await waitFor(
    `${act} of ${group} to be accepted`,
    async () => {
      const leader = await installation.leader();
      if (leader === null) return undefined;
      const answer = await installation.api(leader).post(`/v1/groups/${group}/${act}`, body, epoch);
      said = JSON.stringify(answer);
      return answer.status === 202 ? String((answer.body as { saga: string }).saga) : undefined;
    },
    { timeoutMs: 60_000, pollMs: 1_000 },
  ).catch((error: unknown) => {
    throw new Error(`${act} of ${group}: ${said}`, { cause: error });
  });
  const end = await waitFor(
    `${act} of ${group} to end`,
    async () => {
      const operation = await installation.api('b').get<Operation>(`/v1/operations/${saga}`);
      return operation.done ? operation : undefined;
    },
    { timeoutMs: 120_000, pollMs: 500 },
  );
  expect(end, `${act} of ${group}`).toMatchObject({ outcome: 'DONE' });
}
