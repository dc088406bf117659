const MAX_HEAD_BYTES = 64 * 1024;
const HEAD_END = '\r\n\r\n';
const CHUNKED_END = '0\r\n\r\n';

export type HttpRequestSeen = (method: string, path: string) => void;

/** Reads request lines of HTTP/1.1 out of a byte stream in passing; bodies are skipped by length or last chunk. */
export class HttpFrames {
  private head = '';
  private toSkip = 0;
  private inChunkedBody = false;
  private unreadable = false;

  constructor(private readonly seen: HttpRequestSeen) {}

  feed(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.unreadable)
      rest = this.inChunkedBody || this.toSkip > 0 ? this.skipBody(rest) : this.readHead(rest);
  }

  private skipBody(bytes: Buffer): Buffer {
    if (!this.inChunkedBody) {
      const step = Math.min(this.toSkip, bytes.length);
      this.toSkip -= step;
      return bytes.subarray(step);
    }
    this.head += bytes.toString('latin1');
    const end = this.head.indexOf(CHUNKED_END);
    if (end < 0) {
      this.head = this.head.slice(-CHUNKED_END.length);
      return Buffer.alloc(0);
    }
    const rest = Buffer.from(this.head.slice(end + CHUNKED_END.length), 'latin1');
    this.head = '';
    this.inChunkedBody = false;
    return rest;
  }

  private readHead(bytes: Buffer): Buffer {
    this.head += bytes.toString('latin1');
    const end = this.head.indexOf(HEAD_END);
    if (end < 0) {
      this.unreadable = this.head.length > MAX_HEAD_BYTES;
      return Buffer.alloc(0);
    }
    const head = this.head.slice(0, end);
    const rest = Buffer.from(this.head.slice(end + HEAD_END.length), 'latin1');
    this.head = '';
    const [method, path] = head.split(' ', 2);
    if (method === undefined || path === undefined) {
      this.unreadable = true;
      return rest;
    }
    this.seen(method, path);
    this.inChunkedBody = /^transfer-encoding:.*chunked/im.test(head);
    this.toSkip = Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
    return rest;
  }
}
