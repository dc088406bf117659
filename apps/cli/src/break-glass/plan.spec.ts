import { describe, expect, it } from 'vitest';
import type { Pointer } from '#config-center';
import type { Done } from './clusters.js';
import type { Chosen } from './controller-view.js';
import { planBreakGlass } from './plan.js';
import { byHand, doneLines } from './say.js';

const connectors = { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' };
const chosen: Chosen = {
  group: {
    watch: {
      ...{ name: 'orders', clusters: ['a', 'b'], topics: ['orders', 'pay-*'], consumerGroups: [], principals: [] },
      flows: [
        { from: 'a', to: 'b', naming: 'identity', connectors },
        { from: 'b', to: 'a', naming: 'identity', connectors },
      ],
    },
    publishTo: ['main'],
  },
  centers: [],
  bootstrapServers: ['b1:9092'],
};
const pointer: Pointer = {
  ...{ version: 1, group: 'orders', activeCluster: 'a', mode: 'ACTIVE', epoch: 7, term: 3, sagaId: null },
  ...{ bootstrapServers: ['a1:9092'], publishedAt: '2026-11-20T14:00:00Z' },
};
const act = { id: '01', target: 'b', at: '2026-11-20T15:00:00Z' };
const plan = (of: Pointer | null, claimedTerm = 3) => planBreakGlass({ pointer: of, claimedTerm }, chosen, act);

describe('a plan of break-glass', () => {
  it('closes the old side, stops the flow into the target, opens the target, and publishes above all', () => {
    const { kind, pointer: next, goals } = plan(pointer);
    expect({ kind, next }).toMatchObject({ kind: 'publish', next: { activeCluster: 'b', epoch: 1_007, term: 4 } });
    expect(next.bootstrapServers).toEqual(['b1:9092']);
    expect(goals.map((g) => [g.subject === 'cluster' ? g.cluster : `${g.from}→${g.to}`, g.state])).toEqual([
      ['a', 'fenced'],
      ['a→b', 'stopped'],
      ['b', 'open'],
    ]);
    expect(goals.every((g) => g.epoch === 1_007 && g.term === 4)).toBe(true);
  });

  it('after an act that moved it already only finishes on the clusters', () => {
    const moved = plan(pointer).pointer;
    expect(plan(moved, 4)).toMatchObject({ kind: 'finish', pointer: moved });
    expect(plan(moved, 4).goals.every((g) => g.epoch === moved.epoch)).toBe(true);
  });

  it('moves a target out of a DRAIN that nobody ends', () => {
    const drained: Pointer = { ...pointer, activeCluster: 'b', mode: 'DRAIN', maxMs: 60_000 };
    expect(plan(drained)).toMatchObject({ kind: 'publish', pointer: { activeCluster: 'b', mode: 'ACTIVE' } });
    expect(plan(drained).pointer).not.toHaveProperty('maxMs');
  });

  it.each([
    ['without a pointer', null, /holds no pointer/],
    ['to where it is already', { ...pointer, activeCluster: 'b' }, /active already/],
  ])('is refused %s', (_name, of, why) => {
    expect(() => plan(of)).toThrow(why);
    expect(() => plan(of)).toThrow(expect.objectContaining({ exitCode: 6 }));
  });
});

describe('what was left over', () => {
  const done = (reached: boolean): readonly Done[] =>
    plan(pointer).goals.map((goal) => ({ goal, reached, observed: 'unknown', detail: 'no route to host' }));

  it('is said loudly, with what to type', () => {
    expect(doneLines(done(false), 100).join('\n')).toMatch(
      /a WAS NOT FENCED[^]*a → b WAS NOT STOPPED[^]*b WAS NOT OPENED/,
    );
    const typed = byHand(done(false), new Map([['a', ['a1:9092', 'a2:9092']]]));
    expect(typed).toContain(
      "  kafka-acls.sh --bootstrap-server a1:9092,a2:9092 --command-config <admin.properties> --add --deny-principal 'User:*' --operation Write --topic pay- --resource-pattern-type prefixed",
    );
    expect(typed).toContain('  curl -X PUT http://<connect worker of b>/connectors/a-b-src/stop');
  });

  it('is nothing when all was read back', () => {
    expect(byHand(done(true), new Map())).toEqual([]);
    expect(doneLines(done(true), 100)[0]).toBe('ok    a is closed to applications');
  });
});
