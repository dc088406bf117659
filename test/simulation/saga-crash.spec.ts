import { describe } from 'vitest';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { COMMIT_DEATHS, crashMatrix, EFFECT_DEATHS, type MatrixHost } from './crash-matrix.js';
import { VirtualTime } from './virtual-time.js';

async function inMemory(): Promise<MatrixHost> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  return {
    time,
    openStore: (client) => database.connect(client),
    runUntil: (done) => time.runUntil(done, 300_000),
    close: async () => undefined,
  };
}

const WORLDS = ['IDC a is dead', 'the brokers of a refuse', 'the brokers of a are frozen'] as const;

describe('a leader that dies around an effect', () => {
  crashMatrix(inMemory, EFFECT_DEATHS, WORLDS);
});
describe('a leader that dies around a commit', () => {
  crashMatrix(inMemory, COMMIT_DEATHS, WORLDS);
});
