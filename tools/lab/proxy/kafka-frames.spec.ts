import { describe, expect, it } from 'vitest';

import { KafkaFrames } from './kafka-frames.js';

function frame(apiKey: number, clientId: string, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(4 + 10 + clientId.length + bodyBytes, 0xff);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt16BE(apiKey, 4);
  bytes.writeInt16BE(9, 6);
  bytes.writeInt32BE(1, 8);
  bytes.writeInt16BE(clientId.length, 12);
  bytes.write(clientId, 14);
  return bytes;
}

function seenIn(stream: Buffer, chunkBytes: number): string[] {
  const seen: string[] = [];
  const frames = new KafkaFrames((apiKey, clientId) => seen.push(`${apiKey} ${clientId}`));
  for (let at = 0; at < stream.length; at += chunkBytes) frames.feed(stream.subarray(at, at + chunkBytes));
  return seen;
}

describe('KafkaFrames', () => {
  const stream = Buffer.concat([
    frame(0, 'app', 5000),
    frame(18, '', 0),
    frame(3, 'x'.repeat(300), 7),
    frame(1, 'p', 1),
  ]);
  const expected = ['0 app', '18 ', `3 ${'x'.repeat(120)}`, '1 p'];

  it.each([1, 2, 3, 7, 13, 64, 1000, 100_000])('finds every request when bytes come %i at a time', (chunkBytes) => {
    expect(seenIn(stream, chunkBytes)).toEqual(expected);
  });

  it('reads an absent client id as empty', () => {
    const absent = frame(3, '', 20);
    absent.writeInt16BE(-1, 12);
    expect(seenIn(Buffer.concat([absent, frame(1, 'p', 0)]), 5)).toEqual(['3 ', '1 p']);
  });

  it('stops reading a stream that cannot be Kafka, without an error', () => {
    expect(seenIn(Buffer.concat([Buffer.from([0, 0, 0, 2, 1, 1]), frame(1, 'p', 0)]), 4)).toEqual([]);
  });
});
