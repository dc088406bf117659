import { systemClock } from '#platform';
import { LeaseLoop } from '../../../apps/controller/src/leadership/lease-loop.js';
import { systemTimers } from '../../../apps/controller/src/leadership/timers.port.js';
import { LostLeadershipError } from '../../../apps/controller/src/persistence/authority-store.port.js';
import { createAuthorityStore } from '../../../apps/controller/src/persistence/create-authority-store.js';

/**
 * A controller with nothing but a lease, and a reckless one: it writes for ever under the last term that it led, without
 * asking whether it still does. Tells on stdout what happened, a line each.
 */
const url = required('STORE_URL');
const id = required('HOLDER');
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const store = await createAuthorityStore({ url, statementTimeoutMs: 700 });
const loop = new LeaseLoop({
  store,
  me: { id, advertise: `http://${id}` },
  timings: { ttlMs: 1_500, renewDeadlineMs: 900, retryMs: 300 },
  ...{ clock: systemClock, timers: systemTimers, random: Math.random },
  onError: (error) => say(`round failed: ${String(error)}`),
});
let ledTerm = 0;
loop.onChange((view) => {
  if (view.leading) ledTerm = view.term;
  say(`${view.leading ? 'leads' : 'stands'} ${view.term}`);
});
loop.start();

for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (ledTerm > 0) await write(ledTerm);
}

async function write(term: number): Promise<void> {
  const at = new Date().toISOString();
  const event = {
    at,
    group: null,
    type: 'leadership',
    row: null,
    summary: id,
    detail: null,
    term,
    epoch: null,
  } as const;
  try {
    await store.transact(term, id, async (tx) => {
      await tx.appendEvent(event);
      await tx.appendAudit({
        at,
        actor: id,
        action: 'write',
        group: null,
        reason: '',
        detail: null,
        term,
        epoch: null,
      });
    });
    say(`wrote ${term}`);
  } catch (error) {
    say(error instanceof LostLeadershipError ? `refused ${term}` : `failed ${term}: ${String(error)}`);
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
