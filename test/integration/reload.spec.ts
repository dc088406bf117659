import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, startLab } from '#lab';
import { controllerFile, GROUP, LoneController, type RawFile } from './lone-controller.js';

/** SIGHUP to the built controller, as `systemctl reload` sends it; a second controller shows what drift looks like. */
let lab: Lab;
let one: LoneController;
let other: LoneController;

beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  const raw = await controllerFile(lab, join(lab.dir, 'ctl'));
  one = await LoneController.start(lab, join(lab.dir, 'ctl'), raw);
  const second = await controllerFile(lab, join(lab.dir, 'second'));
  const identity = { controller: { id: 'ctl-b', idc: 'b', dataDir: lab.dir } };
  other = await LoneController.start(lab, join(lab.dir, 'second'), { ...second, ...identity }, 'ctl-b');
  await one.until('both are known and agree', async () => ((await digests()).length === 1 ? true : undefined));
});
afterAll(() => lab?.close());

type Controllers = Readonly<{ controllers: readonly Readonly<{ id: string; policyDigest: string }>[] }>;

/** The different ones, once both controllers have said theirs. */
async function digests(): Promise<readonly string[]> {
  const { controllers } = await one.api.get<Controllers>('/v1/controllers');
  return controllers.length < 2 ? [] : [...new Set(controllers.map((c) => c.policyDigest))];
}

const withGroup = (raw: RawFile, change: RawFile): RawFile => ({
  ...raw,
  groups: (raw['groups'] as RawFile[]).map((group) => ({ ...group, ...change })),
});

async function hangUp(controller: LoneController, raw: RawFile, said: RegExp): Promise<string> {
  const from = controller.process.lines.length;
  await controller.write(raw);
  controller.signal('SIGHUP');
  return controller.process.waitForLine(said, 10_000, from);
}

const mode = async (): Promise<string> => (await one.api.get<{ mode: string }>(`/v1/groups/${GROUP}`)).mode;

it('takes another mode at once; until the others have it too the digests differ', async () => {
  expect(await mode()).toBe('observe');
  await hangUp(one, withGroup(one.raw, { mode: 'auto' }), /was reloaded/);
  await one.until('the mode is in force', async () => ((await mode()) === 'auto' ? true : undefined));
  await one.until('the digests differ', async () => ((await digests()).length === 2 ? true : undefined));
  await hangUp(other, withGroup(other.raw, { mode: 'auto' }), /was reloaded/);
  await one.until('they agree again', async () => ((await digests()).length === 1 ? true : undefined));
});

it('keeps the old one when the file is bad or asks for more than can change, and lives on', async () => {
  const bad = { ...withGroup(one.raw, { mode: 'auto' }), lease: { ttl: 'soon' } };
  expect(await hangUp(one, bad, /not reloaded/)).toContain('lease.ttl: expected a duration');
  const restart = { ...withGroup(one.raw, { mode: 'observe' }), lease: { ttl: '9s' } };
  expect(await hangUp(one, restart, /not reloaded/)).toContain('lease.ttl: cannot change while the controller runs');
  expect(await mode()).toBe('auto');
  await hangUp(one, withGroup(one.raw, { mode: 'observe' }), /was reloaded/);
  await one.until('the mode is in force', async () => ((await mode()) === 'observe' ? true : undefined));
});
