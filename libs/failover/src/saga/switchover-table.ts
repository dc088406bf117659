import { after, before, pointOfNoReturn, type SagaTable } from './plan-table.js';

/**
 * The planned switch: nothing may be lost, so every wait before publish has an end and every end before publish is a way
 * back. Each new leader looks at all of it again: what clients were told runs out by itself, and only who told it last knows
 * when.
 */
export const SWITCHOVER: SagaTable = {
  maxOpenMs: null,
  needsSource: true,
  steps: [
    before('confirm', 2_000, 'check every precondition on a fresh snapshot'),
    before('open', 5_000, 'open the journal, reserve epochs, record who asked and why'),
    before('check-publishable', 5_000, 'claim the group and write a canary to the config center', { lookAgain: true }),
    before('announce', 45_000, 'run the pre-hooks (each may veto), then send the alert "acting"'),
    before('settle-groups', 70_000, 'wait for members that the consumer groups still have on {target}', {
      lookAgain: true,
    }),
    before('drain', 20_000, 'publish {source} with mode DRAIN: producers flush and buffer', {
      undo: { what: 'publish {source} with mode ACTIVE at a higher epoch', deadlineMs: 15_000 },
      lookAgain: true,
    }),
    before('settle-transactions', 50_000, 'wait for transactions open on {source}; end them if the policy says so', {
      lookAgain: true,
    }),
    before('fence-source', 15_000, 'fence {source}, proved by a refused write and end offsets that stand still', {
      undo: { what: 'unfence {source}', deadlineMs: 10_000 },
      lookAgain: true,
      keptOn: ['SOURCE_LOST'],
    }),
    before('catch-up', 60_000, 'wait until the last data record of each partition is on {target}', { lookAgain: true }),
    before('hold-consumers', 20_000, 'publish {source} with mode HOLD: consumers commit and stop', { lookAgain: true }),
    before('stop-replication', 60_000, 'stop the flow {source}→{target}, source and checkpoint connector', {
      undo: { what: 'start the flow {source}→{target} again', deadlineMs: 10_000 },
      lookAgain: true,
    }),
    before('freeze-position', 15_000, 'record S, N and E per partition in the ledger, once', { lookAgain: true }),
    before('set-offsets', 20_000, 'set the offsets of every consumer group on {target}, read back', {
      lookAgain: true,
    }),
    before('check-target', 20_000, '{target} is fit, takes a write, and lacks nothing that {source} holds', {
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
    after('exchange-fence', 20_000, 'close {source} in a way that lets MirrorMaker write there', { essential: true }),
    after('reverse', 90_000, 'seed the flow {target}→{source} at S−1, read it back, start it', { essential: true }),
    after('remember', 5_000, 'keep the goals: {source} closed, {source}→{target} stopped, {target}→{source} running', {
      essential: true,
    }),
    after('close', 5_000, 'report'),
  ],
};

/** Epochs between the one a planned switch starts from and the one it publishes: for DRAIN and HOLD, by a few leaders. */
export const MODE_EPOCHS = 6;
