import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SagaOutcome, SagaRecord } from '#failover';
import { bigintAsNumber } from '../column-transformers.js';

@Entity({ name: 'pointsman_saga' })
export class SagaEntity {
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  @Column({ type: 'varchar', length: 40 })
  kind!: SagaRecord['kind'];

  @Column({ name: 'group_name', type: 'varchar', length: 200 })
  group!: string;

  /** The group while the saga is open, null once closed: a plain unique column keeps it to one (I19). */
  @Column({ name: 'open_group', type: 'varchar', length: 200, nullable: true })
  openGroup!: string | null;

  @Column({ name: 'source_cluster', type: 'varchar', length: 200 })
  source!: string;

  @Column({ name: 'target_cluster', type: 'varchar', length: 200 })
  target!: string;

  @Column({ name: 'matrix_row', type: 'integer' })
  row!: number;

  @Column({ name: 'trigger_kind', type: 'varchar', length: 40 })
  trigger!: SagaRecord['trigger'];

  @Column({ name: 'from_epoch', type: 'bigint', transformer: bigintAsNumber })
  fromEpoch!: number;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  epoch!: number;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  term!: number;

  @Column({ name: 'opened_at', type: 'varchar', length: 40 })
  openedAt!: string;

  @Column({ name: 'closed_at', type: 'varchar', length: 40, nullable: true })
  closedAt!: string | null;

  @Column({ type: 'varchar', length: 40, nullable: true })
  outcome!: SagaOutcome | null;
}
