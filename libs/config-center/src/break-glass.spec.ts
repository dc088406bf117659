import { describe, expect, it } from 'vitest';
import { breakGlassId, breakGlassPointer } from './break-glass.js';
import { aPointer } from './config-center.conformance.js';

const act = { id: '01', target: 'b', bootstrapServers: ['b:9092'], at: '2026-11-20T14:00:00Z' };

describe('a break-glass pointer', () => {
  it('lies above every epoch and term that the center shows', () => {
    const current = aPointer('orders', 7, 3);
    expect(breakGlassPointer(current, 5, act)).toEqual({
      ...current,
      ...{ activeCluster: 'b', mode: 'ACTIVE', epoch: 1_007, term: 6, sagaId: 'break-glass:01' },
      ...{ bootstrapServers: ['b:9092'], publishedAt: act.at },
    });
    expect(breakGlassPointer(current, 0, act).term).toBe(4); // a center restored without its claim
  });

  it('tells its act, and no saga is taken for one', () => {
    expect(breakGlassId(breakGlassPointer(aPointer('orders', 7, 3), 3, act))).toBe('01');
    expect(breakGlassId(aPointer('orders', 7, 3))).toBeNull();
    expect(breakGlassId(aPointer('orders', 1, 1))).toBeNull();
  });
});
