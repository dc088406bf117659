import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../column-transformers.js';

@Entity({ name: 'pointsman_group' })
export class GroupEntity {
  @PrimaryColumn({ type: 'varchar', length: 200 })
  name!: string;

  @Column({ name: 'active_cluster', type: 'varchar', length: 200 })
  active!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  epoch!: number;

  @Column({ name: 'reserved_epoch', type: 'bigint', transformer: bigintAsNumber })
  reservedEpoch!: number;

  /** Everything else as JSON: read and written whole, never searched. */
  @Column({ type: 'text' })
  detail!: string;
}
