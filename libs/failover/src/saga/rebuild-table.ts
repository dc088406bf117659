import { after, before, type SagaTable } from './plan-table.js';

/**
 * The old side ({target}) comes back as an empty standby and is filled from the active one ({source}); the pointer does not
 * move. What only it held was told beforehand and is gone with its topics, so a walk back stops and closes, and brings nothing
 * back: the next rebuild goes on from there. The ids of the topics are written once, before the first deletion: by them a later
 * leader knows what is old.
 */
export const REBUILD: SagaTable = {
  maxOpenMs: null,
  steps: [
    before('confirm', 2_000, 'check every precondition on a fresh snapshot'),
    before('open', 5_000, 'open the journal, record who asked, which cluster was named and why'),
    before('check-returned', 60_000, '{target} is closed, both flows are read back STOPPED', { lookAgain: true }),
    before(
      'list-topics',
      30_000,
      'record which topics are made anew, by their ids; no consumer reads them on {target}',
    ),
    before('report-tail', 180_000, 'count and list the records that only {target} holds, where its seam is proved'),
    before('exchange-fence', 20_000, 'close {target} in a way that lets MirrorMaker write there', {
      undo: { what: 'close {target} again as it was', deadlineMs: 15_000 },
      lookAgain: true,
    }),
    before(
      'remake-topics',
      200_000,
      'DELETE the topics on {target} by their ids, create them with the partitions and settings of {source}, remove their committed offsets; record in the ledger that this pair of logs begins anew',
      { lookAgain: true },
    ),
    before('reverse', 90_000, 'remove the stored offsets of {source}→{target}, read that back, start it', {
      undo: { what: 'stop the flow {source}→{target}', deadlineMs: 15_000 },
      lookAgain: true,
    }),
    after('remember', 5_000, 'keep the goals: {target} closed, {target}→{source} stopped, {source}→{target} running', {
      essential: true,
    }),
    after('follow-copy', 240_000, 'wait until the lag of {source}→{target} is within its budget'),
    after('close', 5_000, 'report'),
  ],
};
