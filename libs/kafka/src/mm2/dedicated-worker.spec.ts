import { describe, expect, it } from 'vitest';
import type { FetchedRecord, OffsetEntry, ReadTopicOptions } from '../ports.js';
import { DedicatedWorker } from './dedicated-worker.js';

const SOURCE = 'MirrorSourceConnector';
const json = (value: unknown): string => JSON.stringify(value);

/** The three topics as a dedicated process leaves them, one partition each. */
class Topics {
  readonly logs = new Map<string, (readonly [string, string | null])[]>();
  reads = 0;

  put(topic: string, key: string, value: unknown): void {
    this.logs.set(topic, [...(this.logs.get(topic) ?? []), [key, value === null ? null : json(value)]]);
  }

  offsets([topic = '']: readonly string[]): Promise<readonly OffsetEntry[]> {
    const log = this.logs.get(topic);
    if (log === undefined) return Promise.reject(new Error(`${topic} is unknown`));
    return Promise.resolve([{ topic, partition: 0, offset: log.length }]);
  }

  readTopic(topic: string, visit: (record: FetchedRecord) => void, { from }: ReadTopicOptions): Promise<void> {
    this.reads += 1;
    const log = this.logs.get(topic) ?? [];
    for (const [offset, [key, value]] of log.entries()) {
      if (offset < (from?.get(0) ?? 0)) continue;
      visit({
        ...{ topic, partition: 0, offset, timestampMs: 0 },
        key: Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
      });
    }
    return Promise.resolve();
  }
}

function rig() {
  const topics = new Topics();
  const running = { state: 'RUNNING', trace: null, worker_id: 'b', generation: 1 };
  topics.put('mm2-status.a.internal', `status-connector-${SOURCE}`, running);
  topics.put('mm2-status.a.internal', `status-task-${SOURCE}-0`, running);
  topics.put('mm2-offsets.a.internal', json([SOURCE, { cluster: 'a', partition: 0, topic: 'orders' }]), {
    offset: 115,
  });
  topics.put('mm2-configs.a.internal', `connector-${SOURCE}`, {
    properties: { enabled: 'true', 'offset.lag.max': 10 },
  });
  return { topics, worker: new DedicatedWorker(topics, 'a') };
}

describe('a dedicated MirrorMaker', () => {
  it('shows states, positions and configuration in its own topics', async () => {
    const { worker } = rig();
    expect(await worker.status(SOURCE, 500)).toMatchObject({
      state: 'RUNNING',
      worker: 'b',
      tasks: [{ id: 0, state: 'RUNNING', trace: null }],
    });
    expect(await worker.offsets(SOURCE, 500)).toEqual([{ cluster: 'a', topic: 'orders', partition: 0, offset: 115 }]);
    expect(await worker.config(SOURCE, 500)).toEqual({ enabled: 'true', 'offset.lag.max': '10' });
    expect(await worker.status('MirrorCheckpointConnector', 500)).toBeNull();
  });

  it('is read on from where the last reading ended, and not at all while nothing is new', async () => {
    const { topics, worker } = rig();
    await worker.offsets(SOURCE, 500);
    await worker.offsets(SOURCE, 500);
    expect(topics.reads).toBe(1);
    topics.put('mm2-offsets.a.internal', json([SOURCE, { cluster: 'a', partition: 0, topic: 'orders' }]), {
      offset: 130,
    });
    expect(await worker.offsets(SOURCE, 500)).toMatchObject([{ offset: 130 }]);
    topics.put('mm2-offsets.a.internal', json([SOURCE, { cluster: 'a', partition: 0, topic: 'orders' }]), null);
    expect(await worker.offsets(SOURCE, 500)).toBeNull();
  });

  it('has a failed task where one failed, and a trace', async () => {
    const { topics, worker } = rig();
    topics.put('mm2-status.a.internal', `status-task-${SOURCE}-0`, { state: 'FAILED', trace: 'boom', worker_id: 'b' });
    expect((await worker.status(SOURCE, 500))?.tasks).toEqual([{ id: 0, state: 'FAILED', trace: 'boom' }]);
  });

  it('of which a direction is not enabled has a stopped flow there', async () => {
    const { topics, worker } = rig();
    topics.put('mm2-configs.a.internal', `connector-${SOURCE}`, { properties: { enabled: 'false' } });
    expect(await worker.status(SOURCE, 500)).toMatchObject({ state: 'STOPPED', tasks: [] });
  });

  it('that is not there is unknown, which is no state', async () => {
    await expect(new DedicatedWorker(new Topics(), 'a').status(SOURCE, 500)).rejects.toThrow('unknown');
  });
});
