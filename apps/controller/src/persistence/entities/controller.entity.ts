import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../column-transformers.js';

@Entity({ name: 'pointsman_controller' })
export class ControllerEntity {
  @PrimaryColumn({ type: 'varchar', length: 200 })
  id!: string;

  @Column({ type: 'varchar', length: 200 })
  idc!: string;

  @Column({ type: 'varchar', length: 500 })
  advertise!: string;

  @Column({ name: 'policy_digest', type: 'varchar', length: 200 })
  policyDigest!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  beats!: number;

  @Column({ type: 'varchar', length: 200 })
  version!: string;
}
