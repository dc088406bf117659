import { describe, expect, it } from 'vitest';
import { DEFAULT_PROFILE } from '../../tools/installation/index.js';
import { parseDurationMs } from '#platform';
import { onStand, say } from './support/stand.js';

const ISOLATED_MS = parseDurationMs(DEFAULT_PROFILE.windows.isolated) ?? Number.NaN;
/** Detection's last sample, lease, tick, stop and publish, on a small machine. */
const ACT_MS = 20_000;

describe("Kafka's default session and the default windows", () => {
  it('a dead IDC moves the traffic after the isolated window, and nothing moves before', async () => {
    const installation = { profile: DEFAULT_PROFILE, firstLeader: 'c' } as const;
    await onStand({ lab: { sessionProfile: 'default' }, installation }, async (stand) => {
      const killedAtMs = Date.now();
      await stand.lab.kill({ idc: 'a' });
      await stand.installation.waitForPointer('b', 1, ISOLATED_MS + ACT_MS);

      expect(await stand.trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
      const [, second] = stand.trail.seen;
      const movedAfterMs = (second?.atMs ?? 0) - killedAtMs;
      expect(movedAfterMs).toBeGreaterThanOrEqual(ISOLATED_MS);
      say(`moved ${(movedAfterMs / 1000).toFixed(1)} s after the kill, window ${ISOLATED_MS / 1000} s`);
      const [saga] = await stand.store.sagas();
      expect(saga?.row).toBe(410);
      expect(await stand.store.waitForOutcome(saga?.id ?? '', ACT_MS)).toBe('DONE');
      await stand.write('b', 'after the switch');
    });
  });
});
