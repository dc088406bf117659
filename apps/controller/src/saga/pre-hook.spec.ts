import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runPreHook, type PreHook } from './pre-hook.js';

const never = new AbortController().signal;
const about = { group: 'orders', target: 'b' };
const node = (script: string, timeoutMs = 10_000): PreHook => ({
  name: 'ask',
  run: { command: [process.execPath, '-e', script] },
  timeoutMs,
});

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(status: number, body: string): Promise<PreHook> {
  const server = createServer((_req, res) => res.writeHead(status).end(body)).listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { name: 'ask', run: { url: `http://127.0.0.1:${port}/` }, timeoutMs: 10_000 };
}

describe('a pre-hook', () => {
  it('that exits 0 agrees, and was told what it is about', async () => {
    const echo = `process.stdin.on('data', (d) => console.log(JSON.parse(d).target))`;
    expect(await runPreHook(node(echo), about, never)).toEqual({ go: true, said: 'b' });
  });

  it('that exits otherwise vetoes with its own words', async () => {
    const veto = `console.error('freeze week'); process.exit(3)`;
    expect(await runPreHook(node(veto), about, never)).toEqual({ go: false, said: 'freeze week' });
  });

  it('that does not answer in time has not agreed', async () => {
    const answer = await runPreHook(node('setInterval(() => {}, 1000)', 300), about, never);
    expect(answer).toEqual({ go: false, said: 'no answer within 300 ms' });
  });

  it('that cannot be started vetoes', async () => {
    const lost: PreHook = { name: 'ask', run: { command: ['/no/such/program'] }, timeoutMs: 1_000 };
    expect(await runPreHook(lost, about, never)).toMatchObject({ go: false });
  });

  it('over HTTP: 2xx agrees, anything else vetoes', async () => {
    expect(await runPreHook(await serve(204, ''), about, never)).toEqual({ go: true, said: 'status 204' });
    expect(await runPreHook(await serve(409, 'not now'), about, never)).toEqual({ go: false, said: 'not now' });
  });
});
