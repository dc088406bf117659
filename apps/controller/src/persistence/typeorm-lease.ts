import type { EntityManager, FindOptionsWhere } from 'typeorm';
import { IsNull, LessThan } from 'typeorm';
import type { LeaseHolder, LeaseRow } from './authority-store.port.js';
import { LostLeadershipError } from './authority-store.port.js';
import { LEASE_ID, LeaseEntity } from './entities/lease.entity.js';
import type { StoreSession } from './store-session.js';

/** The lease row. Every change is one conditional UPDATE whose count of rows decides; nothing is read first and trusted. */
export class TypeOrmLease {
  constructor(private readonly session: StoreSession) {}

  read(): Promise<LeaseRow> {
    return this.session.run('read the lease', readRow);
  }

  acquire(seen: LeaseRow, me: LeaseHolder): Promise<LeaseRow | null> {
    const stillSeen = { term: seen.term, renewals: seen.renewals, holder: seen.holder ?? IsNull() };
    const taken = { term: seen.term + 1, holder: me.id, advertise: me.advertise, renewals: seen.renewals + 1 };
    return this.session.run('take the lease', async (manager) =>
      (await change(manager, stillSeen, taken)) ? taken : null,
    );
  }

  renew(term: number, me: LeaseHolder): Promise<LeaseRow | null> {
    // A transaction only because the row is read back: the UPDATE holds it until then.
    return this.session.transaction('renew the lease', async (manager) => {
      const renewed = await change(manager, { term, holder: me.id }, { ...ONE_MORE, advertise: me.advertise });
      return renewed ? readRow(manager) : null;
    });
  }

  async release(term: number, me: LeaseHolder): Promise<void> {
    await this.session.run('release the lease', (manager) =>
      change(manager, { term, holder: me.id }, { ...ONE_MORE, holder: null, advertise: null }),
    );
  }

  raise(term: number): Promise<LeaseRow> {
    if (!Number.isSafeInteger(term) || term < 0) throw new RangeError(`no term: ${term}`);
    return this.session.transaction('raise the term', async (manager) => {
      await change(manager, { term: LessThan(term) }, { ...ONE_MORE, term, holder: null });
      return readRow(manager);
    });
  }
}

/**
 * The guard: must be the first statement of a transaction. It *writes* the row, so a single database lets one leader's
 * transaction through at a time, and a multi-primary one certifies only one of two.
 */
export async function guard(manager: EntityManager, term: number, holder: string): Promise<void> {
  const mine = await change(manager, { term, holder }, { guardCount: () => 'guard_count + 1' });
  if (!mine) throw new LostLeadershipError(term);
}

const ONE_MORE = { renewals: () => 'renewals + 1' };

type LeaseChange = Readonly<{
  term?: number;
  holder?: string | null;
  advertise?: string | null;
  renewals?: number | (() => string);
  guardCount?: () => string;
}>;

async function change(manager: EntityManager, where: FindOptionsWhere<LeaseEntity>, to: LeaseChange): Promise<boolean> {
  const result = await manager.update(LeaseEntity, { id: LEASE_ID, ...where }, to);
  return result.affected === 1;
}

async function readRow(manager: EntityManager): Promise<LeaseRow> {
  const { term, holder, advertise, renewals } = await manager.findOneByOrFail(LeaseEntity, { id: LEASE_ID });
  return { term, holder, advertise, renewals };
}
