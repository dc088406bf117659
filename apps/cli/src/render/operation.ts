import type { OperationBody, PlannedBody } from '../api/types.js';

/** What would be done, in order, with the line that cannot be crossed back. */
export const planLines = (plan: PlannedBody): readonly string[] => [
  `${plan.group}: ${plan.summary} from epoch ${plan.epoch}`,
  ...(plan.loss === undefined ? [] : [`loss: ${plan.loss.says}`]),
  ...plan.steps.map((s) => {
    const mark = s.phase === 'return' ? '!' : s.phase === 'after' ? '+' : ' ';
    return `${mark} ${s.step.padEnd(18)} ${s.effect}${s.compensation === null ? '' : ` (undone by: ${s.compensation})`}`;
  }),
  '! the point of no return; + only forward from here',
];

export const operationLine = (step: OperationBody['steps'][number]): string => {
  const name = step.direction === 'undo' ? `take back ${step.step}` : step.step;
  const said = step.event === 'intent' ? '…' : step.event;
  return `${step.at} ${name.padEnd(28)} ${said}${step.summary === null ? '' : `: ${step.summary}`}`;
};
