import { expect, it } from 'vitest';
import { readinessText } from './readiness.command.js';

it('says the verdict first, what a failover would cost, and a fix with each line', () => {
  const text = readinessText(
    {
      group: 'orders',
      ready: false,
      lines: [
        { id: 'silent-gap', level: 'blocker', what: 'cut', fix: 'seed anew' },
        { id: 'flow-running', level: 'ok', what: 'copies', fix: null },
      ],
      ifItFailedOverNow: {
        windowMs: 30_000,
        rtoMs: 63_000,
        rpoRecords: 12,
        rpoMs: 400,
        rereads: [{ consumerGroup: 'billing', records: 40 }],
      },
    },
    100,
  );
  expect(text.split('\n').map((l) => l.replaceAll(/ +/g, ' '))).toEqual([
    'orders is NOT READY',
    'If it failed over now: RTO about 63 s, RPO 12 records, 0.4 s; read again at most: billing 40 records',
    'BLOCKER silent-gap cut. Fix: seed anew',
    'OK flow-running copies',
  ]);
});
