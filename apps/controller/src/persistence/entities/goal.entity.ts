import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StoredGoal } from '../authority-store.port.js';
import { jsonAsText } from '../column-transformers.js';

@Entity({ name: 'pointsman_goal' })
export class GoalEntity {
  @PrimaryColumn({ name: 'goal_key', type: 'varchar', length: 700 })
  key!: string;

  @Column({ type: 'text', transformer: jsonAsText })
  body!: StoredGoal;
}
