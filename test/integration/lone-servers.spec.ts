import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertmanagerServer, RedisServer } from '#lab';

describe('Redis from Debian packages', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.make();
    await redis.start();
  });
  afterAll(() => redis.close());

  it('can be killed, started again at its address, and wiped', async () => {
    const before = redis.url;
    await redis.kill();
    await expect(redis.wipe()).rejects.toThrow(/./);
    await redis.start();
    await redis.wipe();
    expect(redis.url).toBe(before);
  });
});

describe('Alertmanager from Debian packages', () => {
  let alertmanager: AlertmanagerServer;
  beforeAll(async () => {
    alertmanager = await AlertmanagerServer.make();
    await alertmanager.start();
  });
  afterAll(() => alertmanager.close());

  it('answers without being installed', async () => {
    const response = await fetch(`${alertmanager.url}/api/v2/status`);
    expect(await response.json()).toMatchObject({ versionInfo: { version: expect.stringMatching(/^0\./) } });
  });
});
