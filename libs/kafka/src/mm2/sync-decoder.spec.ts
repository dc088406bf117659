import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeOffsetSync, encodeOffsetSync } from './formats.js';
import { OffsetSyncDecoder } from './sync-decoder.js';
import { Mm2FormatError } from './wire.js';

const sync = fc.record({
  topic: fc.stringMatching(/^[a-zü._-]{0,20}$/),
  partition: fc.nat(),
  upstream: fc.maxSafeNat(),
  downstream: fc.maxSafeNat(),
});

it('reads what the plain decoder reads, the second time too', () => {
  const decoder = new OffsetSyncDecoder();
  fc.assert(
    fc.property(sync, (s) => {
      const { key, value } = encodeOffsetSync(s);
      expect(decoder.decode(key, value)).toEqual(decodeOffsetSync(key, value));
      expect(decoder.decode(Buffer.from(key), value)).toEqual(s);
    }),
  );
});

it('refuses a value that is cut', () => {
  const decoder = new OffsetSyncDecoder();
  const { key, value } = encodeOffsetSync({ topic: 'orders', partition: 3, upstream: 1_000, downstream: 950 });
  decoder.decode(key, value);
  expect(() => decoder.decode(key, value.subarray(0, 12))).toThrow(Mm2FormatError);
});
