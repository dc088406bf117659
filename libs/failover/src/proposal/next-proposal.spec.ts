import { describe, expect, it } from 'vitest';
import { decide } from '../matrix/decide.js';
import type { GroupFacts, Snapshot } from '../matrix/facts.js';
import { defaultPolicy } from '../matrix/policy.js';
import { sampleFlow, sampleGroup, sampleSnapshot, sampleVotes } from '../simulate/sample-snapshot.js';
import { approvalRefusals } from './approval-refusals.js';
import { nextProposal } from './next-proposal.js';
import type { ProposalFacts } from './proposal.js';

const DEAD = { a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 90_000) };
const T_UP = { b: sampleVotes({ a: 'up', b: 'up', c: 'up' }) };

const proposal = (over: Partial<ProposalFacts> = {}): ProposalFacts => ({
  ...{ id: 'p-1', origin: 'matrix', act: 'failover', state: 'open', condition: 'down', source: 'a', target: 'b' },
  ...{ epoch: 1, after: null, needed: 1, approvedBy: [], expiresInMs: 60_000, closedAgeMs: null },
  ...over,
});

const seen = (group: Partial<GroupFacts>, over: Partial<Snapshot> = {}): Snapshot => {
  const first = sampleSnapshot({ group: sampleGroup({ mode: 'approve', ...group }), ...over });
  const memory = { ...first.memory, active: 'a', term: 1, leading: true, freshSinceMs: 0 }; // as after some ticks
  return { ...first, memory };
};
const LAST_LAG = sampleFlow({ observedAgeMs: 95_000 }); // of before the outage
const dead = (group: Partial<GroupFacts> = {}) => seen(group, { votes: { ...DEAD, ...T_UP }, flows: [LAST_LAG] });
const well = (group: Partial<GroupFacts> = {}) => seen(group);
const step = (snapshot: Snapshot) => nextProposal(snapshot, decide(snapshot, defaultPolicy))?.do ?? null;

describe('nextProposal', () => {
  it.each([
    ['a due row, nothing proposed', dead(), 'open'],
    ['a due row, its proposal stands', dead({ proposal: proposal() }), null],
    ['its time is over', dead({ proposal: proposal({ expiresInMs: 0 }) }), 'expire'],
    ['the source answers again', well({ proposal: proposal() }), 'withdraw'],
    ['the group moved on', dead({ epoch: 2, proposal: proposal() }), 'withdraw'],
    ['the mode became auto: the matrix acts itself', dead({ mode: 'auto', proposal: proposal() }), 'withdraw'],
    ['the mode became observe', dead({ mode: 'observe', proposal: proposal() }), 'withdraw'],
    ['rejected a moment ago', dead({ proposal: proposal({ state: 'rejected', closedAgeMs: 1_000 }) }), null],
    ['rejected long ago', dead({ proposal: proposal({ state: 'rejected', closedAgeMs: 900_000 }) }), 'open'],
    ['approved, and its saga walked back', dead({ proposal: proposal({ state: 'approved', closedAgeMs: 1 }) }), 'open'],
    ['rejected, and the source answers', well({ proposal: proposal({ state: 'rejected', closedAgeMs: 1 }) }), 'forget'],
    ['paused', dead({ pause: { owner: 'ann', reason: 'work', expiresInMs: 1_000 } }), null],
    ['a person waits for a second one', dead({ proposal: proposal({ origin: 'person' }) }), null],
    [
      '… to move in peace, and now it is dead',
      dead({ proposal: proposal({ origin: 'person', act: 'switchover' }) }),
      'withdraw',
    ],
    ['… while it is well', well({ proposal: proposal({ origin: 'person', act: 'switchover' }) }), null],
    [
      'what a person asked for was rejected: the matrix was not asked yet',
      dead({ proposal: proposal({ origin: 'person', state: 'rejected', closedAgeMs: 1_000 }) }),
      'open',
    ],
  ] as const)('%s', (_name, snapshot, expected) => {
    expect(step(snapshot)).toBe(expected);
  });

  it('silence is no recovery: what was proposed stands while nobody can tell', () => {
    const silent = { a: sampleVotes({ a: 'stale', b: 'stale', c: 'stale' }, 90_000), ...T_UP };
    expect(step(seen({ proposal: proposal() }, { votes: silent }))).toBeNull();
    expect(step(seen({ proposal: proposal({ state: 'rejected', closedAgeMs: 1 }) }, { votes: silent }))).toBeNull();
  });
});

describe('approvalRefusals', () => {
  const refusals = (snapshot: Snapshot, question = { identity: 'token:ann', proposal: null as string | null }) =>
    approvalRefusals(snapshot, decide(snapshot, defaultPolicy), question).map((r) => r.name);

  it('an open proposal of a row that is still due may be approved', () => {
    expect(refusals(dead({ proposal: proposal() }))).toEqual([]);
    expect(refusals(dead({ proposal: proposal({ needed: 2, approvedBy: ['token:kim'] }) }))).toEqual([]);
  });

  it('two approvals of one identity are one person', () => {
    expect(refusals(dead({ proposal: proposal({ needed: 2, approvedBy: ['token:ann'] }) }))).toEqual(['SAME_PERSON']);
  });

  it('names all reasons at once', () => {
    const paused = { owner: 'ann', reason: 'work', expiresInMs: 1_000 };
    const late = dead({ pause: paused, frozen: 'epoch 9', proposal: proposal({ expiresInMs: -1, target: 'z' }) });
    expect(refusals({ ...late, configCenter: { writableAgeMs: null, error: 'refused' } })).toEqual([
      ...['PROPOSAL_EXPIRED', 'TARGET_CHANGED', 'PAUSED', 'FROZEN', 'NOT_PUBLISHABLE'],
    ]);
  });

  it('another proposal than the one that was read is not approved by accident', () => {
    expect(refusals(dead({ proposal: proposal() }), { identity: 'token:ann', proposal: 'p-0' })).toEqual([
      'NO_PROPOSAL',
    ]);
    expect(refusals(dead())).toEqual(['NO_PROPOSAL']);
  });

  it('a source that answers again is not left', () => {
    expect(refusals(well({ proposal: proposal() }))).toEqual(['NOT_CONFIRMED']);
  });
});
