import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../tokens.port.js';

@Entity({ name: 'pointsman_token' })
export class TokenEntity {
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  @Column({ type: 'varchar', length: 200 })
  name!: string;

  @Column({ name: 'token_role', type: 'varchar', length: 20 })
  role!: Role;

  @Column({ name: 'token_hash', type: 'varchar', length: 64 })
  hash!: string;

  @Column({ name: 'created_at', type: 'varchar', length: 40 })
  createdAt!: string;

  @Column({ name: 'created_by', type: 'varchar', length: 300 })
  createdBy!: string;

  @Column({ name: 'expires_at', type: 'varchar', length: 40 })
  expiresAt!: string;

  @Column({ name: 'revoked_at', type: 'varchar', length: 40, nullable: true })
  revokedAt!: string | null;
}
