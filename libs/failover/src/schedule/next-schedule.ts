import type { Ms } from '#health';
import type { Snapshot } from '../matrix/facts.js';
import type { ScheduledFacts } from './schedule.js';

/** Later than this nobody expects it any more: people went home, and the night it was meant for is over. */
export const SCHEDULE_LATE_MS: Ms = 300_000;

/** `drop`: it is not carried out at all; `page` if somebody must be told that night. */
export type ScheduleStep = Readonly<{ do: 'carry-out' | 'drop'; page: boolean; reason: string }>;

type Rule = Readonly<ScheduleStep & { when: (snapshot: Snapshot, s: ScheduledFacts) => boolean }>;

/** What becomes of a group's scheduled switchover at a tick; first match, none: it waits. */
const RULES: readonly Rule[] = [
  {
    ...{ do: 'drop', page: false },
    reason: 'the group has moved on since it was asked for',
    when: ({ group }, s) => group.epoch !== s.epoch,
  },
  {
    ...{ do: 'drop', page: true },
    reason: 'its time passed while no controller could carry it out',
    when: (_, s) => s.dueInMs < -SCHEDULE_LATE_MS,
  },
  {
    ...{ do: 'carry-out', page: true },
    reason: 'it is due',
    when: ({ graceOver }, s) => s.dueInMs <= 0 && graceOver,
  },
];

/** Pure: the leader carries the step out. Null: nothing is to be done. */
export function nextSchedule(snapshot: Snapshot): ScheduleStep | null {
  const scheduled = snapshot.group.scheduled ?? null;
  if (scheduled === null) return null;
  const rule = RULES.find((r) => r.when(snapshot, scheduled));
  return rule === undefined ? null : { do: rule.do, page: rule.page, reason: rule.reason };
}
