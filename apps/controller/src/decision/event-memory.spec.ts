import { describe, expect, it } from 'vitest';
import type { EventRow } from '../persistence/authority-store.port.js';
import { EventMemory } from './event-memory.js';

const alert = (seq: number, group = 'orders'): EventRow => ({
  ...{ seq, at: '2026-11-20T14:00:00Z', group, type: 'alert', row: 410, summary: 'suspected' },
  ...{ detail: { id: `alert-${seq}`, incident: `incident-${seq}` }, term: 1, epoch: 1 },
});

/** A store of events that counts the rows it hands out. */
class Events {
  rows: EventRow[] = [];
  handedOut = 0;

  events = async (after: number, limit: number): Promise<readonly EventRow[]> =>
    this.out(this.rows.filter((r) => r.seq > after).slice(0, limit));

  lastEvents = async (limit: number, group?: string): Promise<readonly EventRow[]> =>
    this.out(this.rows.filter((r) => group === undefined || r.group === group).slice(-limit));

  private out(rows: readonly EventRow[]): readonly EventRow[] {
    this.handedOut += rows.length;
    return rows;
  }
}

describe('the memory of events', () => {
  it('reads the past once, then only what is new', async () => {
    const store = new Events();
    store.rows = Array.from({ length: 300 }, (_, i) => alert(i + 1, i % 2 === 0 ? 'orders' : 'pay'));
    const memory = new EventMemory();
    await memory.read(store, ['orders', 'pay']);
    expect(memory.alertIds()).toHaveLength(100);
    store.handedOut = 0;
    for (let tick = 0; tick < 10; tick++) await memory.read(store, ['orders', 'pay']);
    expect(store.handedOut).toBe(10); // one row each: is there anything new?
    store.rows.push(alert(301), alert(303)); // a gap: a transaction that was rolled back
    await memory.read(store, ['orders', 'pay']);
    expect(memory.alertIds()).toEqual(expect.arrayContaining(['alert-301', 'alert-303', 'alert-300']));
    expect(memory.incidents().at(-1)).toMatch(/^incident-/);
    expect(memory.alertIds()).toHaveLength(100);
  });

  it('catches up over many pages', async () => {
    const store = new Events();
    store.rows = [alert(1)];
    const memory = new EventMemory();
    await memory.read(store, ['orders']);
    store.rows.push(...Array.from({ length: 999 }, (_, i) => alert(i + 2)));
    await memory.read(store, ['orders']);
    expect(memory.alertIds().at(-1)).toBe('alert-1000');
    expect(memory.alertIds()).toHaveLength(50);
  });

  it('begins anew when the store was restored to an earlier state', async () => {
    const store = new Events();
    store.rows = [alert(1), alert(2), alert(3)];
    const memory = new EventMemory();
    await memory.read(store, ['orders']);
    store.rows = [alert(1)];
    await memory.read(store, ['orders']);
    expect(memory.alertIds()).toEqual(['alert-1']);
    store.rows.push({ ...alert(2), detail: { id: 'other', incident: 'other' } });
    await memory.read(store, ['orders']);
    expect(memory.alertIds()).toEqual(['alert-1', 'other']);
  });
});
