import { after, before, type SagaTable } from './plan-table.js';

/**
 * The old side ({target}) comes back as the standby of the active one ({source}); the pointer does not move. Everything is
 * looked at again by each new leader; the long works go on in the agents and are joined, not begun anew.
 */
export const REJOIN: SagaTable = {
  maxOpenMs: null,
  steps: [
    before('confirm', 2_000, 'check every precondition on a fresh snapshot'),
    before('open', 5_000, 'open the journal, record who asked, what was chosen and why'),
    before(
      'check-returned',
      60_000,
      '{target} is closed, its end offsets stand still, {target}→{source} is read back STOPPED',
      { lookAgain: true },
    ),
    before('prove-seam', 120_000, 'prove per partition where the copy on {source} ends in the log of {target}', {
      lookAgain: true,
    }),
    before('report-tail', 180_000, 'count and list the records that only {target} holds', { lookAgain: true }),
    before('carry-out-choice', 240_000, 'do with them what was chosen: accept, export or replay', { lookAgain: true }),
    before('exchange-fence', 20_000, 'close {target} in a way that lets MirrorMaker write there', {
      undo: { what: 'close {target} again as it was', deadlineMs: 15_000 },
      lookAgain: true,
    }),
    before('reverse', 90_000, 'seed the flow {source}→{target} at the stored S−1, read it back, start it', {
      undo: { what: 'stop the flow {source}→{target}', deadlineMs: 15_000 },
      lookAgain: true,
    }),
    after('remember', 5_000, 'keep the goals: {target} closed, {target}→{source} stopped, {source}→{target} running', {
      essential: true,
    }),
    after('close', 5_000, 'report'),
  ],
};
