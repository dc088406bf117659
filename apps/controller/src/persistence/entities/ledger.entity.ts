import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../column-transformers.js';

/** One row per switch and partition. The key stays below the 3,072 bytes that InnoDB allows with four-byte characters. */
@Entity({ name: 'pointsman_ledger' })
export class LedgerEntity {
  @PrimaryColumn({ name: 'group_name', type: 'varchar', length: 200 })
  group!: string;

  @PrimaryColumn({ type: 'bigint', transformer: bigintAsNumber })
  epoch!: number;

  @PrimaryColumn({ type: 'varchar', length: 249 })
  topic!: string;

  @PrimaryColumn({ name: 'topic_partition', type: 'integer' })
  partition!: number;

  @Column({ name: 'from_cluster', type: 'varchar', length: 200 })
  from!: string;

  @Column({ name: 'to_cluster', type: 'varchar', length: 200 })
  to!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  s!: number;

  @Column({ type: 'bigint', nullable: true, transformer: bigintAsNumber })
  n!: number | null;

  @Column({ name: 'source_end', type: 'bigint', nullable: true, transformer: bigintAsNumber })
  sourceEnd!: number | null;

  @Column({ name: 'source_end_age_ms', type: 'bigint', nullable: true, transformer: bigintAsNumber })
  sourceEndAgeMs!: number | null;
}
