import { expect, it } from 'vitest';
import type { Snapshot } from '../matrix/facts.js';
import { sampleGroup, sampleSnapshot } from '../simulate/sample-snapshot.js';
import { nextSchedule, SCHEDULE_LATE_MS } from './next-schedule.js';
import type { ScheduledFacts } from './schedule.js';

const scheduled = (over: Partial<ScheduledFacts> = {}): ScheduledFacts => ({
  ...{ id: 's-1', act: 'switchover', target: 'b', at: '2026-11-21T10:00:00.000Z', epoch: 1 },
  ...{ dueInMs: 0, by: 'operator:ann', reason: 'broker upgrade' },
  ...over,
});
const seen = (facts: ScheduledFacts | null, over: Partial<Snapshot> = {}): Snapshot =>
  sampleSnapshot({ group: sampleGroup({ scheduled: facts }), ...over });

it.each([
  ['nothing is scheduled', seen(null), null],
  ['it is ahead', seen(scheduled({ dueInMs: 1 })), null],
  ['it is due', seen(scheduled()), 'carry-out'],
  ['due, and this controller has just begun to listen', seen(scheduled(), { graceOver: false }), null],
  ['a change of leader made it a little late', seen(scheduled({ dueInMs: -SCHEDULE_LATE_MS })), 'carry-out'],
  ['nobody led at that time', seen(scheduled({ dueInMs: -SCHEDULE_LATE_MS - 1 })), 'drop'],
  ['the group moved since', seen(scheduled({ epoch: 0, dueInMs: 60_000 })), 'drop'],
] as const)('%s', (_name, snapshot, expected) => {
  expect(nextSchedule(snapshot)?.do ?? null).toBe(expected);
});
