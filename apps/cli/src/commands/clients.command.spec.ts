import { describe, expect, it } from 'vitest';
import { clientsText } from './clients.command.js';

const client = {
  version: 1,
  group: 'orders',
  instance: 'i1',
  kind: 'consumer',
  name: 'billing',
  cluster: 'b',
  epoch: 8,
  mode: 'ACTIVE',
  state: 'following',
  warnings: [],
  adopted: true,
} as const;
const pointer = { cluster: 'b', epoch: 8, mode: 'ACTIVE' } as const;

describe('clients', () => {
  it('lists stragglers first, with the risks they run', () => {
    const late = {
      ...client,
      kind: 'producer' as const,
      name: 'shop',
      epoch: 7,
      adopted: false,
      warnings: ['acks=1: lost'],
    };
    const body = { pointer, known: 2, adopted: 1, clients: [client, late], unwrapped: [], strayWrites: [] };
    const text = clientsText(body, 120);
    expect(text.split('\n').map((l) => l.replaceAll(/ +/g, ' '))).toEqual([
      'b, epoch 8, ACTIVE: 1 of 2 clients have adopted it',
      'KIND NAME CLUSTER EPOCH STATE ADOPTED WARNINGS',
      'producer shop b 7 following NOT YET acks=1: lost',
      'consumer billing b 8 following yes',
    ]);
  });

  it('names who reads or writes without the wrapper', () => {
    const lag = { lagRecords: 3, observedAgeMs: 900, committedAgeMs: 900 };
    const unwrapped = [
      { ...lag, cluster: 'a', consumerGroup: 'legacy', onActive: false, members: 2 },
      { ...lag, cluster: 'b', consumerGroup: 'audit', onActive: true },
    ];
    const strayWrites = [{ cluster: 'a', ageMs: 1_200 }];
    const body = { pointer, known: 0, adopted: 0, clients: [], unwrapped, strayWrites };
    expect(clientsText(body, 120).split('\n')).toEqual([
      'b, epoch 8, ACTIVE: 0 of 0 clients have adopted it',
      'legacy (2 members) is at work on a without the wrapper: it reads the side that is not active',
      'audit is at work on b without the wrapper',
      'somebody writes on a, which is not active: its topics grew 1.2 s ago, and nothing is copied there',
    ]);
  });
});
