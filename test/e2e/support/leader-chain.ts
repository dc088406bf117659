import { expect } from 'vitest';
import { type LabIdc, waitFor } from '#lab';
import type { StepName } from '#failover';
import type { Stand } from './stand.js';

/** A leader in `idc` that kills itself there as `kill -9` would; null: it lives. */
export type Link = Readonly<{ idc: LabIdc; at: `${'before' | 'after'}:${StepName}` | null }>;
export type Chain = readonly [Link, Link, ...Link[]];

const FOLLOW_MS = 60_000;

export const crashEnv = ({ at }: Link): Record<string, string> => (at === null ? {} : { POINTSMAN_CRASH: at });

/** Only these two controllers run from here on, the first of them leads, and each dies where its link says. */
export async function beginChain({ installation, store, lab }: Stand, [first, second]: Chain): Promise<void> {
  for (const idc of ['a', 'b', 'c'] as const) {
    const controller = installation.controller(idc);
    if (!controller.running) continue;
    await lab.kill({ process: controller.name });
    await waitFor(`${controller.name} ends`, () => controller.lastExit, { timeoutMs: FOLLOW_MS });
  }
  const { term } = await store.lease();
  await installation.restartController(first.idc, crashEnv(first));
  await waitForLeader({ store }, first.idc, term);
  await installation.restartController(second.idc, crashEnv(second));
}

/** Sees each leader lead and die, and starts the one after the next in its place. Returns the terms, the last one's too. */
export async function followChain(stand: Stand, chain: Chain): Promise<readonly number[]> {
  const terms: number[] = [];
  for (const [i, { idc, at }] of chain.entries()) {
    terms.push(await waitForLeader(stand, idc, terms.at(-1) ?? 0));
    // The next one starts only now, so that nobody else can take the lead: it is warm when it is needed.
    const next = chain[i + 1];
    if (i > 0 && next !== undefined) await stand.installation.restartController(next.idc, crashEnv(next));
    if (at !== null) expect(await endOf(stand, idc), `ctl-${idc} ${at}`).toBe('SIGKILL');
  }
  expect(terms).toEqual(terms.toSorted((x, y) => x - y));
  return terms;
}

/** Waits until the controller of `idc` leads with a term above the one given; returns that term. */
export async function waitForLeader({ store }: Pick<Stand, 'store'>, idc: LabIdc, aboveTerm: number): Promise<number> {
  return await waitFor(
    `ctl-${idc} leads with a term above ${aboveTerm}`,
    async () => {
      const { holder, term } = await store.lease();
      return holder === `ctl-${idc}` && term > aboveTerm ? term : undefined;
    },
    { timeoutMs: FOLLOW_MS, pollMs: 20 },
  );
}

/** The signal that ended the controller of `idc`. */
async function endOf({ installation }: Stand, idc: LabIdc): Promise<NodeJS.Signals | null> {
  const controller = installation.controller(idc);
  const { signal } = await waitFor(`${controller.name} ends`, () => controller.lastExit, { timeoutMs: FOLLOW_MS });
  return signal;
}
