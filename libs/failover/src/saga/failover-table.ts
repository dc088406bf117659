import type { Ms } from '#health';
import { after, before, pointOfNoReturn, type SagaTable } from './plan-table.js';

/** How long a fence that is read back may take. */
export const FENCE_STEP_MS: Ms = 15_000;

/** The failover table of the design. `stop-replication` waits 60 s: 41 s were measured with a dead source and default time-outs. */
export const FAILOVER: SagaTable = {
  maxOpenMs: null,
  steps: [
    before('confirm', 2_000, 'judge the matrix once more on a fresh snapshot'),
    before('open', 5_000, 'open the journal, reserve an epoch, record votes, last end offsets and the loss estimate'),
    before('check-publishable', 5_000, 'claim the group and write a canary to the config center', { lookAgain: true }),
    before('announce', 5_000, 'send the alert "acting"'),
    before(
      'fence-source',
      FENCE_STEP_MS,
      'fence {source}; or see every broker of it refuse; or wait until it has closed itself; or record a waiver with its evidence',
      { undo: { what: 'unfence {source}', deadlineMs: 10_000 }, lookAgain: true },
    ),
    before('stop-replication', 60_000, 'stop the flow {source}→{target}', {
      undo: { what: 'start the flow {source}→{target} again', deadlineMs: 10_000 },
      lookAgain: true,
    }),
    before('freeze-position', 15_000, 'record S, N and E_a per partition in the ledger, once', { lookAgain: true }),
    before('set-offsets', 20_000, 'check every consumer group on {target}: inside the log, earliest where none exists'),
    before('check-target', 20_000, '{target} is fit, takes a write, and {source} still does not answer', {
      lookAgain: true,
    }),
    before('unfence-target', 10_000, 'open {target} if it is fenced', {
      undo: { what: 'fence {target} again', deadlineMs: 10_000 },
      lookAgain: true,
    }),
    pointOfNoReturn('publish', 15_000, 'publish {target} as the active cluster: the point of no return', {
      undo: { what: 'publish {source} again at a higher epoch', deadlineMs: 15_000 },
    }),
    after('verify-publish', 20_000, 'read the pointer back, write a canary to {target}, wait for a share of clients'),
    after('remember', 5_000, 'keep the goals: {source} fenced, both flows stopped', { essential: true }),
    after('close', 5_000, 'report, start the cool-down'),
  ],
};
