import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../column-transformers.js';

/** The one row that says who leads. `guard_count` is written first in every guarded transaction; nobody reads it. */
@Entity({ name: 'pointsman_lease' })
export class LeaseEntity {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  term!: number;

  @Column({ type: 'varchar', length: 200, nullable: true })
  holder!: string | null;

  @Column({ type: 'varchar', length: 500, nullable: true })
  advertise!: string | null;

  /** Rises by one with every change of the row except the guard's: what candidates compare. */
  @Column({ type: 'bigint', transformer: bigintAsNumber })
  renewals!: number;

  @Column({ name: 'guard_count', type: 'bigint', transformer: bigintAsNumber })
  guardCount!: number;
}

/** The only id there is. */
export const LEASE_ID = 1;
