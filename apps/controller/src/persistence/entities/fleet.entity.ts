import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The one row of what holds for all groups; absent until somebody said something. */
@Entity({ name: 'pointsman_fleet' })
export class FleetEntity {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  /** As JSON: read and written whole, never searched. */
  @Column({ type: 'text' })
  detail!: string;
}

/** The only id there is. */
export const FLEET_ID = 1;
