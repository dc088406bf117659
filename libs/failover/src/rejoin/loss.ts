/** What was said when the switch was decided. `atLeast`: neither a fence nor the death was confirmed, so it may be more. */
export type LossEstimate = Readonly<{ knownRecords: number | null; estimatedRecords: number | null; atLeast: boolean }>;

export type LossJudgement = Readonly<{
  counted: number;
  estimated: number | null;
  /** Null: no estimate was possible then. */
  withinEstimate: boolean | null;
  says: string;
}>;

/** I35: with a confirmed fence or death, no more was lost than was said beforehand; otherwise the report said "at least". */
export function judgeLoss(estimate: LossEstimate, counted: number): LossJudgement {
  const estimated = estimate.estimatedRecords ?? estimate.knownRecords;
  const records = `${counted} record${counted === 1 ? '' : 's'} counted`;
  if (estimated === null) {
    return { counted, estimated, withinEstimate: null, says: `${records}; no estimate was possible at the decision` };
  }
  const said = estimate.atLeast ? `at least ${estimated}` : `at most ${estimated}`;
  const within = counted <= estimated;
  const verdict = within ? 'as estimated' : estimate.atLeast ? 'more, as the estimate allowed' : 'MORE THAN ESTIMATED';
  return { counted, estimated, withinEstimate: within, says: `${records}, ${said} estimated: ${verdict}` };
}
