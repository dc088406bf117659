import { Writer } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedBroker } from '#testing';
import { PLAINTEXT } from './connection-config.js';
import { PlatformaticRecordLog } from './record-log.js';

const PRODUCE = 0;
const LIST_OFFSETS = 2;
const METADATA = 3;
const ID = '00000000-0000-0000-0000-000000000001';
const record = { timestampMs: 1, key: null, value: Buffer.from('v'), headers: [] };

let broker: ScriptedBroker;
let log: PlatformaticRecordLog;
beforeEach(async () => {
  broker = await ScriptedBroker.start();
  broker.answers.set(METADATA, metadata);
  log = new PlatformaticRecordLog({ clientId: 'test', bootstrapServers: [broker.address], security: PLAINTEXT });
});
afterEach(async () => {
  log.close();
  await broker.close();
});

/** One broker, which leads the only partition of `orders`. */
const metadata = (): Buffer =>
  Writer.create()
    .appendInt32(0)
    .appendArray([1], (w, id) =>
      w.appendInt32(id).appendString('127.0.0.1').appendInt32(broker.port).appendString(null),
    )
    .appendString('cluster')
    .appendInt32(1)
    .appendArray(['orders'], (w, name) =>
      w
        .appendInt16(0)
        .appendString(name)
        .appendUUID(ID)
        .appendBoolean(false)
        .appendArray([0], (p, index) => {
          p.appendInt16(0).appendInt32(index).appendInt32(1).appendInt32(4);
          for (const replicas of [[1], [1], []]) p.appendArray(replicas, (r, id) => r.appendInt32(id), true, false);
        })
        .appendInt32(0),
    )
    .appendTaggedFields().buffer;

/** The next answer each time. */
const offsets = (errorCode: number, offset: number): Buffer =>
  Writer.create()
    .appendInt32(0)
    .appendArray(['orders'], (w, name) =>
      w
        .appendString(name)
        .appendArray([0], (p, index) =>
          p.appendInt32(index).appendInt16(errorCode).appendInt64(-1n).appendInt64(BigInt(offset)).appendInt32(4),
        ),
    )
    .appendTaggedFields().buffer;

describe('an append whose connection is reset', () => {
  it('is not sent again: the broker may have taken it', async () => {
    await expect(log.append('orders', 0, [record], 1_000)).rejects.toMatchObject({ kind: 'reset' });
    expect(broker.asked.filter((api) => api === PRODUCE)).toHaveLength(1);
  });
});

describe('the settled end of a log', () => {
  it('is the high watermark once it has reached what the leader had written', async () => {
    const said = [offsets(78, -1), offsets(0, 10), offsets(0, 12), offsets(0, 11), offsets(0, 13), offsets(0, 12)];
    const last = offsets(0, 14);
    broker.answers.set(LIST_OFFSETS, () => said.shift() ?? last);
    const options = { callMs: 1_000, waitMs: 10_000, signal: AbortSignal.timeout(10_000) };
    expect(await log.settledEnd({ topic: 'orders', partition: 0 }, options)).toBe(12);
  });
});
