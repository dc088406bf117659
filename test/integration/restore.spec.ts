import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EtcdConfigCenter, type Pointer } from '#config-center';
import { AgentServiceService, PROTOCOL_VERSION, requestToWire } from '#rpc';
import { type Lab, startLab, waitFor } from '#lab';
import type { AuthorityStore, GroupRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { A, AT, aSaga, anAudit, lead } from '../../apps/controller/src/persistence/conformance/builders.js';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';
import { controllerFile, GROUP, LoneController } from './lone-controller.js';
import { STORE_BACKUPS } from './store-backups.js';

/**
 * docs/operations.md, "Restore", as a person does it: the store put back to an older state, while etcd, which is the config
 * center here, has gone on. What must hold then is I3.
 */
let lab: Lab;
let center: EtcdConfigCenter;
let controller: LoneController;
let published: Pointer;
let claimedTerm: number;
const dir = (): string => join(lab.dir, 'ctl');

async function withStore<T>(work: (store: AuthorityStore) => Promise<T>): Promise<T> {
  const store = await createAuthorityStore({ url: await lab.postgresUrl('c'), poolSize: 1 });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const row = (): Promise<GroupRow | undefined> => withStore(async (s) => (await s.groups())[0]);

/** What the backup does not know of: leaders up to term 6, and a failover to b, done as a saga does it. */
async function lifeGoesOn(): Promise<Pointer> {
  return withStore(async (store) => {
    for (let i = 0; i < 4; i += 1) await lead(store, A);
    const term = await lead(store, A);
    const epoch = await store.transact(term, A.id, async (tx) => {
      const reserved = await tx.reserveEpoch(GROUP, 0);
      await tx.openSaga(aSaga('saga-after-the-backup', GROUP, { term, epoch: reserved }));
      return reserved;
    });
    const pointer: Pointer = {
      ...{ version: 1, group: GROUP, activeCluster: 'b', mode: 'ACTIVE', epoch, term },
      ...{ sagaId: 'saga-after-the-backup', bootstrapServers: ['127.0.0.1:9'], publishedAt: AT },
    };
    expect(await center.claim(GROUP, term)).toBe(true);
    expect(await center.publish(pointer, { expectedEpoch: 1, term })).toMatchObject({ ok: true });
    await store.transact(term, A.id, async (tx) => {
      const known = await tx.group(GROUP);
      if (known !== null) await tx.saveGroup({ ...known, active: 'b', epoch });
      await tx.closeSaga('saga-after-the-backup', 'DONE', AT);
      await tx.appendAudit(anAudit('after the backup'));
    });
    return pointer;
  });
}

describe.each(STORE_BACKUPS)('a store restored to an older state from $name', ({ postgres, backUp, restore }) => {
  beforeAll(async () => {
    lab = await startLab({ clusters: {}, connect: false, postgres, etcd: true });
    center = new EtcdConfigCenter({ endpoints: [await lab.etcdUrl('c')] });
    controller = await LoneController.start(lab, dir(), await controllerFile(lab, dir()));
    await controller.until('the group exists', async () => (await center.read(GROUP)) ?? undefined);
    await controller.until('its row says so', async () => ((await row())?.epoch === 1 ? true : undefined));
    await lab.stop({ process: 'ctl-c' });
    await backUp(lab);
    published = await lifeGoesOn();
    claimedTerm = await center.claimedTerm(GROUP);
    await restore(lab);
    const from = controller.process.lines.length;
    await lab.start({ process: 'ctl-c' });
    await controller.serves(from);
  });
  afterAll(async () => {
    await center?.close();
    await lab?.close();
  });

  it('leads again above the term that the config center has seen', async () => {
    await controller.until('it leads above the claim', async () => {
      const lease = await withStore((s) => s.readLease());
      return lease.holder === 'ctl-c' && lease.term > claimedTerm ? true : undefined;
    });
    expect(claimedTerm).toBeGreaterThan(4);
  });

  it('freezes the group, because the center is ahead of every reserved epoch, and overwrites nothing', async () => {
    const frozen = await controller.until('the group is frozen', async () => {
      const seen = await controller.api.get<{ frozen: string | null }>(`/v1/groups/${GROUP}`);
      return seen.frozen ?? undefined;
    });
    expect(frozen).toBe('the config center holds epoch 2, above the highest reserved 1');
    expect(await center.read(GROUP)).toEqual(published);
    expect(await row()).toMatchObject({ active: 'b', epoch: 2, reservedEpoch: 2 }); // follows what clients see
  });

  it('says so to the agents, and rises above a term that only they have heard', async () => {
    const client = new Client(controller.grpc, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = AgentServiceService.session;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    call.on('error', () => undefined); // hung up on at the end
    call.on('data', () => undefined);
    const hello = {
      ...{ protocolVersion: PROTOCOL_VERSION, agent: 'agent-a', idc: 'a', bootId: 'b1', highestTerm: 40 },
      ...{ goalsHeld: [], clusters: [], softwareVersion: '0' },
    };
    call.write(requestToWire(1, { kind: 'hello', hello }));
    await controller.until('it leads above 40', async () => {
      const lease = await withStore((s) => s.readLease());
      return lease.holder === 'ctl-c' && lease.term > 40 ? true : undefined;
    });
    await waitFor('its claim follows', async () => ((await center.claimedTerm(GROUP)) > 40 ? true : undefined), {
      timeoutMs: 30_000,
    });
    call.cancel();
    client.close();
    expect(await center.read(GROUP)).toEqual(published);
  });

  it('goes on after an acknowledgement, from what clients see, with an audit that is whole', async () => {
    const answer = await controller.until('the acknowledgement is taken', async () => {
      const reply = await controller.api.post(`/v1/groups/${GROUP}/acknowledge`, { reason: 'restored, checked' }, 2);
      return reply.status < 300 ? reply : undefined;
    });
    expect(answer.status).toBeLessThan(300);
    expect(await row()).toMatchObject({ active: 'b', epoch: 2, frozen: null });
    const before = controller.process.lines.length;
    // Another spell of leading compares store and center again: now they agree.
    await lab.stop({ process: 'ctl-c' });
    await lab.start({ process: 'ctl-c' });
    await controller.serves(before);
    await controller.until('it leads and has claimed', async () => {
      const { term, holder } = await withStore((s) => s.readLease());
      return holder === 'ctl-c' && (await center.claimedTerm(GROUP)) === term ? true : undefined;
    });
    expect(await row()).toMatchObject({ active: 'b', epoch: 2, frozen: null });
    expect(await center.read(GROUP)).toEqual(published);
    expect(await controller.api.get('/v1/audit/verify')).toMatchObject({ ok: true });
  });
});
