import { describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  decodeHeartbeat,
  decodeOffsetSync,
  decodeSourceOffset,
  encodeCheckpoint,
  encodeHeartbeat,
  encodeOffsetSync,
  encodeSourceOffset,
} from './formats.js';
import { Mm2FormatError } from './wire.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

// Golden vectors: the first of each produced by Kafka's own classes, the second read from real brokers.
describe('offset syncs', () => {
  it.each([
    ['00066f726465727300000003', '00000000000003e800000000000003b6', 'orders', 3, 1000, 950],
    ['000a6865617274626561747300000000', '000000000000006b0000000000000097', 'heartbeats', 0, 107, 151],
  ])('%s', (key, value, topic, partition, upstream, downstream) => {
    const sync = { topic, partition, upstream, downstream };
    expect(decodeOffsetSync(hex(key), hex(value))).toEqual(sync);
    expect(encodeOffsetSync(sync)).toEqual({ key: hex(key), value: hex(value) });
  });
});

describe('checkpoints', () => {
  it.each([
    [
      '000267310008612e6f726465727300000003',
      '000000000000000003e800000000000003b700016d',
      'g1',
      'a.orders',
      3,
      1000,
      951,
      'm',
    ],
    [
      '0002673100066f726465727300000001',
      '0000000000000000010d0000000000003ec80000',
      'g1',
      'orders',
      1,
      269,
      16_072,
      '',
    ],
  ])('%s', (key, value, group, topic, partition, upstream, downstream, metadata) => {
    const checkpoint = { group, topic, partition, upstream, downstream, metadata };
    expect(decodeCheckpoint(hex(key), hex(value))).toEqual(checkpoint);
    expect(encodeCheckpoint(checkpoint)).toEqual({ key: hex(key), value: hex(value) });
  });

  it('refuses a version it does not know instead of reading garbage offsets', () => {
    const key = hex('000267310008612e6f726465727300000003');
    expect(() => decodeCheckpoint(key, hex('000100000000000003e800000000000003b700016d'))).toThrow(Mm2FormatError);
  });
});

describe('heartbeats', () => {
  it.each([
    ['000161000162', '00000000018bcfe56800', 'a', 'b', 1_700_000_000_000],
    ['000161000162', '0000000001a1fb22e123', 'a', 'b', 1_795_214_729_507],
  ])('%s %s', (key, value, source, target, timestampMs) => {
    const heartbeat = { source, target, timestampMs };
    expect(decodeHeartbeat(hex(key), hex(value))).toEqual(heartbeat);
    expect(encodeHeartbeat(heartbeat)).toEqual({ key: hex(key), value: hex(value) });
  });
});

describe('source offsets of Connect', () => {
  const key = '["a-b-src",{"cluster":"a","partition":0,"topic":"orders"}]';

  it('reads N, and writes the same bytes in the same order', () => {
    const entry = { connector: 'a-b-src', cluster: 'a', topic: 'orders', partition: 0, offset: 115 };
    expect(decodeSourceOffset(Buffer.from(key), Buffer.from('{"offset":115}'))).toEqual(entry);
    expect(encodeSourceOffset(entry)).toEqual({ key: Buffer.from(key), value: Buffer.from('{"offset":115}') });
  });

  it('reads a tombstone as a deleted entry', () => {
    expect(decodeSourceOffset(Buffer.from(key), null)?.offset).toBeNull();
  });

  it.each([
    '["a-b-cp",{"partition":1,"topic":"orders","group":"g1"}]',
    '["a-b-hb",{"sourceClusterAlias":"a","targetClusterAlias":"b"}]',
  ])('ignores %s', (other) => {
    expect(decodeSourceOffset(Buffer.from(other), Buffer.from('{"offset":0}'))).toBeNull();
  });

  it('refuses an offset that is no number', () => {
    expect(() => decodeSourceOffset(Buffer.from(key), Buffer.from('{"offset":"115"}'))).toThrow(Mm2FormatError);
  });
});
