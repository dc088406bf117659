import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { labLogin, waitFor } from '#lab';
import { GROUP } from '../../tools/installation/index.js';
import { Load } from './support/load.js';
import { askForSwitch, endOfSwitch, told } from './support/planned.js';
import { TOPIC } from './support/stage.js';
import { onStand, type Stand } from './support/stand.js';

const READERS = 'billing';
const SAID = `do exchange-fence done: a is closed by acl; consumer groups refused there: ${READERS}`;

it('a consumer that follows no pointer is refused on the side that was left, until that is active again', async () => {
  await onStand({ lab: { security: 'sasl' } }, async (stand) => {
    const load = await Load.start(stand.lab);
    try {
      await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
      const away = await endOfSwitch(stand, await askForSwitch(stand, 'b'));
      expect({ outcome: away.outcome, steps: told(away) }).toMatchObject({ outcome: 'DONE' });
      expect(told(away)).toContain(SAID);
      expect(await joins(stand)).toBe('GROUP_AUTHORIZATION_FAILED');
      await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');
      await stand.installation.waitForSteady(60_000);
      const home = await endOfSwitch(stand, await askForSwitch(stand, 'a'));
      expect({ outcome: home.outcome, steps: told(home) }).toMatchObject({ outcome: 'DONE' });
      await load.waitForStats('goes on at a', (s) => s.lastAckCluster === 'a' && s.lastConsumedCluster === 'a');
      expect(await joins(stand)).toBe('joined');
    } finally {
      await load.stop();
    }
  });
});

/** What a plain consumer of the group meets on a: `joined`, or the protocol's name of the refusal. */
async function joins({ lab }: Stand): Promise<string> {
  const sasl = labLogin(lab.security, 'app');
  const kafka = new kafkajs.Kafka({
    clientId: `plain-${GROUP}`,
    brokers: lab.directBootstrapServers('a'),
    retry: { retries: 0 },
    logLevel: kafkajs.logLevel.NOTHING,
    ...(sasl === undefined ? {} : { sasl }),
  });
  const consumer = kafka.consumer({ groupId: READERS });
  let met: string | undefined;
  consumer.on(consumer.events.GROUP_JOIN, () => (met ??= 'joined'));
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => (met ??= typeOf(error)));
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [TOPIC] });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    return await waitFor('the consumer has joined or was refused', () => met, { timeoutMs: 30_000 });
  } finally {
    await consumer.disconnect();
  }
}

/** However kafkajs has wrapped it. */
function typeOf(error: Error): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof kafkajs.KafkaJSProtocolError) return cause.type;
  return String(error);
}
