import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../column-transformers.js';

@Entity({ name: 'pointsman_audit' })
export class AuditEntity {
  @PrimaryColumn({ type: 'bigint', transformer: bigintAsNumber })
  seq!: number;

  @Column({ name: 'happened_at', type: 'varchar', length: 40 })
  at!: string;

  @Column({ type: 'text' })
  actor!: string;

  @Column({ type: 'text' })
  action!: string;

  @Column({ name: 'group_name', type: 'varchar', length: 200, nullable: true })
  group!: string | null;

  @Column({ type: 'text' })
  reason!: string;

  /** JSON. */
  @Column({ type: 'text' })
  detail!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  term!: number;

  @Column({ type: 'bigint', nullable: true, transformer: bigintAsNumber })
  epoch!: number | null;

  @Column({ name: 'previous_hash', type: 'varchar', length: 64 })
  previousHash!: string;

  @Column({ type: 'varchar', length: 64 })
  hash!: string;
}
