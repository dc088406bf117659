import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '#kafka';
import { NodeSelfMonitor, type SelfMonitorOptions } from './self.probe.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((x) => x.close()));
});

function monitor(options: Partial<SelfMonitorOptions> = {}): NodeSelfMonitor {
  const made = new NodeSelfMonitor({
    idc: 'a',
    periodMs: 40,
    timeoutMs: 200,
    referenceTargets: [],
    clock: monotonicMs,
    ...options,
  });
  open.push(made);
  return made;
}

async function listener(): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(server);
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function until(holds: () => boolean): Promise<void> {
  const endsAt = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > endsAt) throw new Error('the condition never held');
    await new Promise((done) => setImmediate(done));
  }
}

const silent = (idc: string) => ({ idc, answers: false });

const REFUSED = '127.0.0.1:1';

describe('NodeSelfMonitor', () => {
  it('trusts itself while nothing speaks against it', () => {
    expect(monitor().health(silent('b'))).toEqual({ healthy: true, reasons: [] });
  });

  it('doubts itself for two periods after its event loop stood still', async () => {
    const m = monitor();
    const endsAt = performance.now() + 250;
    while (performance.now() < endsAt); // the very thing that is measured
    expect(m.health(silent('b')).reasons[0]).toContain('event loop stood still');
    await until(() => m.health(silent('b')).healthy);
  });

  it('notices a step of the wall clock, whose size the monotonic clock does not share', () => {
    let offsetMs = 0;
    const m = monitor({ wallClock: () => Date.now() + offsetMs });
    offsetMs = 3_600_000;
    expect(m.health(silent('b')).reasons[0]).toContain('wall clock stepped by 3600');
  });

  it('doubts itself when no reference target outside the judged IDC answers', async () => {
    const b = await listener();
    const m = monitor({
      referenceTargets: [
        { idc: 'b', address: b.address },
        { idc: 'c', address: REFUSED },
      ],
    });
    await until(() => !m.health(silent('b')).healthy); // judging b, only c may vouch for us, and c is silent
    expect(m.health(silent('b')).reasons[0]).toContain(REFUSED);
    expect(m.health(silent('c')).healthy).toBe(true); // judging c, b vouches
    expect(m.health({ idc: 'b', answers: true }).healthy).toBe(true); // a cluster that answers proves our network
  });

  it('ignores targets of its own IDC', () => {
    const m = monitor({ referenceTargets: [{ idc: 'a', address: REFUSED }] });
    expect(m.health(silent('b')).healthy).toBe(true);
  });
});
