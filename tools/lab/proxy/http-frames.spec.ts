import { describe, expect, it } from 'vitest';

import { HttpFrames } from './http-frames.js';

const stream = Buffer.from(
  [
    'PUT /connectors/a-b-src/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n',
    'POST /connectors HTTP/1.1\r\nContent-Length: 25\r\n\r\nGET /not/a/request HTTP/1',
    'PATCH /connectors/a-b-src/offsets HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'GET /connectors HTTP/1.1\r\n\r\n',
  ].join(''),
);

describe('HttpFrames', () => {
  it.each([1, 2, 5, 19, 70, 1000])(
    'finds request lines and skips bodies when bytes come %i at a time',
    (chunkBytes) => {
      const seen: string[] = [];
      const frames = new HttpFrames((method, path) => seen.push(`${method} ${path}`));
      for (let at = 0; at < stream.length; at += chunkBytes) frames.feed(stream.subarray(at, at + chunkBytes));
      expect(seen).toEqual([
        'PUT /connectors/a-b-src/stop',
        'POST /connectors',
        'PATCH /connectors/a-b-src/offsets',
        'GET /connectors',
      ]);
    },
  );
});
