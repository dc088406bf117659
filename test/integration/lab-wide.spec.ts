import { Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { labPassword, startLab, waitFor, type Lab } from '#lab';

describe('a lab of three brokers with Kafka 3.9, SASL and etcd', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({
      clusters: { a: { brokers: 3, version: '3.9' } },
      connect: false,
      postgres: false,
      etcd: true,
      security: 'sasl',
    });
    await lab.createTopic('a', { name: 'orders', partitions: 3 });
  });
  afterAll(async () => lab.close());

  async function sendAsApp(mechanism: 'plain' | 'scram-sha-256'): Promise<void> {
    const username = 'app';
    const password = labPassword(username);
    const kafka = new Kafka({
      brokers: lab.bootstrapServers('a', 'b'),
      logLevel: 0,
      sasl: mechanism === 'plain' ? { mechanism, username, password } : { mechanism, username, password },
    });
    const producer = kafka.producer();
    await producer.connect();
    try {
      await producer.send({ topic: 'orders', acks: -1, messages: [{ value: mechanism }] });
    } finally {
      await producer.disconnect();
    }
  }

  it('lets an ordinary user write, with PLAIN and with SCRAM', async () => {
    await sendAsApp('plain');
    await sendAsApp('scram-sha-256');
  });

  it('refuses a wrong password', async () => {
    const kafka = new Kafka({
      brokers: lab.bootstrapServers('a', 'b'),
      logLevel: 0,
      sasl: { mechanism: 'plain', username: 'app', password: 'wrong' },
    });
    await expect(kafka.admin().connect()).rejects.toThrow(/Authentication failed/);
  });

  it('serves on with one broker of three killed, and has it back', async () => {
    await lab.kill({ broker: ['a', 3] });
    await sendAsApp('plain');
    await lab.start({ broker: ['a', 3] });
    expect(lab.isRunning({ cluster: 'a' })).toBe(true);
  });

  it('keeps what etcd was told over a kill', async () => {
    const url = await lab.etcdUrl('b');
    const call = async (path: string, body: object): Promise<unknown> => {
      const response = await fetch(`${url}/v3/kv/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(5_000),
      });
      return response.json();
    };
    const key = Buffer.from('k').toString('base64');
    const value = Buffer.from('v').toString('base64');
    await call('put', { key, value });
    await lab.kill({ etcd: true });
    await expect(call('range', { key })).rejects.toThrow('fetch failed');
    await lab.start({ etcd: true });
    const answer = await waitFor('etcd has its leader', () => call('range', { key }), { timeoutMs: 10_000 });
    expect(answer).toMatchObject({ kvs: [{ value }] });
  });
});
