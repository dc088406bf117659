import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedBroker } from '#testing';
import { PlatformaticEyes } from './cluster-eyes.js';
import { PlatformaticHands } from './cluster-hands.js';
import type { ClusterIdentity } from './cluster-identity.js';
import { PLAINTEXT } from './connection-config.js';

const METADATA = 3;

/** The first id is the one. */
class FirstId implements ClusterIdentity {
  #known: string | null = null;
  objection(clusterId: string): string | null {
    this.#known ??= clusterId;
    return this.#known === clusterId ? null : `${clusterId} is not ${this.#known}`;
  }
}

let broker: ScriptedBroker;
let eyes: PlatformaticEyes;
let hands: PlatformaticHands;
beforeEach(async () => {
  broker = await ScriptedBroker.start();
  broker.clusterId = 'cluster-A';
  const connection = { bootstrapServers: [broker.address], security: PLAINTEXT, identity: new FirstId() };
  eyes = new PlatformaticEyes({ clientId: 'eyes', ...connection });
  hands = new PlatformaticHands({ clientId: 'hands', ...connection });
});
afterEach(async () => {
  eyes.close();
  hands.close();
  await broker.close();
});

describe('an address that leads to another cluster than before', () => {
  it('is no evidence for the eyes: neither an answer nor a failure that counts as down', async () => {
    expect(await eyes.metadata(broker.address, null, 500)).toMatchObject({
      ok: true,
      value: { clusterId: 'cluster-A' },
    });
    broker.become('cluster-B');
    for (const answer of [
      await eyes.apiVersions(broker.address, 500),
      await eyes.metadata(broker.address, null, 500),
    ]) {
      expect(answer).toMatchObject({ ok: false, kind: 'other', errorCode: null });
      expect(answer).toHaveProperty('detail', expect.stringContaining('cluster-B is not cluster-A'));
    }
    broker.become('cluster-A');
    expect(await eyes.apiVersions(broker.address, 500)).toMatchObject({ ok: true });
  });

  it('is touched by no hand: nothing but who it is was asked of it', async () => {
    expect((await hands.layout(500)).brokers).toEqual([{ id: 1, address: broker.address }]);
    broker.become('cluster-B');
    const wrong = { kind: 'other', message: expect.stringContaining('cluster-B is not cluster-A') as string };
    const fence = [{ topic: 'orders', key: 'max.message.bytes', value: '1' }];
    await expect(hands.layout(500)).rejects.toMatchObject(wrong);
    await expect(hands.changeTopicConfigs(fence, 500)).rejects.toMatchObject(wrong);
    await expect(hands.deleteTopics(['AAAAAAAAAAAAAAAAAAAAAA'], 500)).rejects.toMatchObject(wrong);
    expect(new Set(broker.asked)).toEqual(new Set([METADATA]));
  });
});
