import { expect, it } from 'vitest';
import type { Answer, ClusterEyes, LogDir } from '#kafka';
import { DiskWatch } from './disk-watch.js';

const BROKERS = [
  { id: 1, address: 'b1' },
  { id: 2, address: 'b2' },
];

function rig(says: Record<string, readonly LogDir[]>) {
  let asked = 0;
  const eyes: Pick<ClusterEyes, 'logDirs'> = {
    logDirs: (address) => {
      asked += 1;
      const value = says[address];
      const answer: Answer<readonly LogDir[]> =
        value === undefined
          ? { ok: false, kind: 'deadline', errorCode: null, detail: 'silent', latencyMs: 1 }
          : { ok: true, value, latencyMs: 1 };
      return Promise.resolve(answer);
    },
  };
  return { watch: new DiskWatch(eyes), asked: () => asked };
}

it('names the fullest directory of all brokers that show theirs, once a minute', async () => {
  const { watch, asked } = rig({
    b1: [{ freeBytes: 50, totalBytes: 100 }],
    b2: [{ freeBytes: 90, totalBytes: 1_000 }],
  });
  expect(watch.fullest).toBeNull();
  await watch.refresh(BROKERS, 1_000, 500);
  await watch.refresh(BROKERS, 60_000, 500);
  expect(watch.fullest).toEqual({ broker: 2, freeBytes: 90, totalBytes: 1_000 });
  expect(asked()).toBe(2);
});

it('keeps what it knew of brokers that are silent now', async () => {
  const says: Record<string, readonly LogDir[]> = { b1: [{ freeBytes: 50, totalBytes: 100 }] };
  const { watch } = rig(says);
  await watch.refresh(BROKERS, 1_000, 500);
  delete says.b1;
  await watch.refresh(BROKERS, 70_000, 500);
  expect(watch.fullest?.freeBytes).toBe(50);
});
