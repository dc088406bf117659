import { describe, expect, it } from 'vitest';
import type { GroupConfig } from '../config/compile.js';
import { type FleetRow, type GroupRow, NEW_FLEET, newGroupRow } from '../persistence/authority-store.port.js';
import { groupFacts } from './group-facts.js';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const config = {
  name: 'orders',
  mode: 'auto',
  clusters: [
    { name: 'a', idc: 'a', bootstrapServers: [] },
    { name: 'b', idc: 'b', bootstrapServers: [] },
  ],
} as unknown as GroupConfig;

const row = { ...newGroupRow({ name: 'orders', active: 'b', mode: 'auto' }), epoch: 4, reservedEpoch: 4 };

const AGES = { modeChangedMs: 5_000, unpausedMs: 7_000, publishedSagaMs: 9_000, noSagaMs: 11_000 };

const facts = (change: Partial<GroupRow> | null, fleet: FleetRow = NEW_FLEET) =>
  groupFacts(config, change === null ? null : { ...row, ...change }, fleet, null, AGES, NOW);

describe('groupFacts', () => {
  it('is as configured, at epoch 0, before the store was read', () => {
    expect(facts(null)).toMatchObject({ active: 'a', epoch: 0, mode: 'auto', pause: null });
  });

  it('takes the mode from the configuration until an operator changed it', () => {
    expect(facts({ mode: 'observe' }).mode).toBe('auto');
    expect(facts({ mode: 'observe', modeChangedAt: ago(5) })).toMatchObject({
      mode: 'observe',
      modeChangedAgeMs: 5_000,
    });
  });

  it('ends a pause at its expiry', () => {
    const pause = { owner: 'kim', reason: 'work', at: ago(100), expiresAt: ago(-60) };
    expect(facts({ pause })).toMatchObject({ pause: { owner: 'kim', expiresInMs: 60_000 } });
    expect(facts({ pause: { ...pause, expiresAt: ago(10) } })).toMatchObject({ pause: null, unpausedAgeMs: 7_000 });
  });

  it('is paused while everything is, also a group that has no row yet; the pause that ends last is shown', () => {
    const own = { owner: 'kim', reason: 'work', at: ago(100), expiresAt: ago(-60) };
    const all = { ...own, owner: 'ann', expiresAt: ago(-90) };
    const everything = { pause: all, unpausedAt: null };
    expect(facts(null, everything).pause).toMatchObject({ owner: 'ann', everywhere: true, expiresInMs: 90_000 });
    expect(facts({ pause: own }, everything).pause).toMatchObject({ owner: 'ann', everywhere: true });
    expect(facts({ pause: { ...own, expiresAt: ago(-120) } }, everything).pause).toEqual({
      ...{ owner: 'kim', reason: 'work', expiresInMs: 120_000 },
    });
    expect(facts({}, { pause: { ...all, expiresAt: ago(1) }, unpausedAt: null }).pause).toBeNull();
  });

  it('knows whether the last automatic failover was acknowledged after it happened', () => {
    expect(facts({ lastPublishedAutoAt: ago(60), acknowledgedAt: ago(30) }).lastPublishedAuto?.acknowledged).toBe(true);
    expect(facts({ lastPublishedAutoAt: ago(60), acknowledgedAt: ago(90) }).lastPublishedAuto?.acknowledged).toBe(
      false,
    );
  });

  it('forgets an acceptance of loss that has expired', () => {
    const lossAcceptance = { by: 'kim', reason: 'r', maxRecords: 5, maxMs: null, expiresAt: ago(-1) };
    expect(facts({ lossAcceptance }).lossAcceptance).toMatchObject({ maxRecords: 5, expiresInMs: 1_000 });
    expect(facts({ lossAcceptance: { ...lossAcceptance, expiresAt: ago(1) } }).lossAcceptance).toBeNull();
  });
});
