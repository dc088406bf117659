/**
 * The lab's one proxy process: everything that crosses IDC borders passes it. A process of its own, so that a busy
 * test does not stall the network, and the network does not stall a test. It obeys its parent's IPC channel and ends with it.
 */
import { Counters } from './counters.js';
import type { ProxyEnvelope, ProxyReply, ProxyRequest } from './protocol.js';
import { Route } from './route.js';

const counters = new Counters();
const routes: Route[] = [];
const cuts = new Set<string>();

function pairKey(x: string, y: string): string {
  return [x, y].sort().join('|');
}

function setCut(idcs: readonly [string, string], cut: boolean): void {
  const key = pairKey(...idcs);
  if (cut) cuts.add(key);
  else cuts.delete(key);
  for (const route of routes) {
    if (pairKey(route.spec.viewer, route.spec.targetIdc) === key) route.setCut(cut);
  }
}

async function awaitUp(upstreamPorts: readonly number[], timeoutMs: number): Promise<void> {
  const waitedFor = routes.filter((route) => upstreamPorts.includes(route.spec.upstreamPort));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing accepts on ${upstreamPorts.join(', ')} after ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([Promise.all(waitedFor.map((route) => route.whenUp())), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function execute(request: ProxyRequest): Promise<unknown> {
  switch (request.op) {
    case 'add':
      for (const spec of request.routes) {
        const route = new Route(spec, counters);
        routes.push(route);
        route.setCut(cuts.has(pairKey(spec.viewer, spec.targetIdc)));
      }
      return undefined;
    case 'cut':
      return setCut(request.idcs, true);
    case 'heal':
      return setCut(request.idcs, false);
    case 'down':
      for (const route of routes) if (request.upstreamPorts.includes(route.spec.upstreamPort)) route.setDown();
      return undefined;
    case 'await-up':
      return awaitUp(request.upstreamPorts, request.timeoutMs);
    case 'stats':
      return counters.snapshot();
    case 'reset-stats':
      return counters.reset();
  }
}

function reply(message: ProxyReply): void {
  process.send?.(message);
}

process.on('message', (envelope: ProxyEnvelope) => {
  execute(envelope.request).then(
    (value) => reply({ seq: envelope.seq, ok: true, value }),
    (error: unknown) =>
      reply({ seq: envelope.seq, ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
