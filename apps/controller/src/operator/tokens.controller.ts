import { randomBytes } from 'node:crypto';
import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Req, UseGuards } from '@nestjs/common';
import { StandardSchemaValidationPipe, UsePipes } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { duration, newId } from '#platform';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ROLES, type TokenRow } from '../persistence/tokens.port.js';
import { BearerGuard } from './http/bearer.guard.js';
import './http/identity.js';
import { LeaderGuard } from './http/leader.guard.js';
import { invalidBody, notFound } from './http/problem.js';
import { TokenBook, tokenHash } from './http/token-book.js';

const MAX_LIFE_MS = 366 * 86_400_000;

const createSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  role: z.enum(ROLES),
  expiresIn: duration().refine((ms) => ms <= MAX_LIFE_MS, 'a token lives for at most 366 d: it must end by itself'),
});
type CreateBody = z.output<typeof createSchema>;

/** Who may ask and tell. A token is shown once, at its creation; what is kept is its hash. */
@Controller('v1/tokens')
@UseGuards(BearerGuard)
@UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidBody }))
export class TokensController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(TokenBook) private readonly book: TokenBook,
  ) {}

  @Get()
  @Header('cache-control', 'no-store')
  async list() {
    return { tokens: (await this.store.tokens()).map(shown) };
  }

  @Post()
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  @UseGuards(LeaderGuard)
  async create(@Body({ schema: createSchema }) body: CreateBody, @Req() req: Request) {
    const token = `pt_${randomBytes(32).toString('base64url')}`;
    const at = Date.now();
    const row: TokenRow = {
      ...{ id: newId(), name: body.name, role: body.role, hash: tokenHash(token), revokedAt: null },
      createdAt: new Date(at).toISOString(),
      createdBy: req.operator ?? 'loopback',
      expiresAt: new Date(at + body.expiresIn).toISOString(),
    };
    await this.save(row, 'token-create', req);
    return { ...shown(row), token };
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @UseGuards(LeaderGuard)
  async revoke(@Param('id') id: string, @Req() req: Request) {
    const known = (await this.store.tokens()).find((row) => row.id === id);
    if (known === undefined) throw notFound(`Token ${id}`, 'List them with GET /v1/tokens.');
    const row = { ...known, revokedAt: known.revokedAt ?? new Date().toISOString() };
    await this.save(row, 'token-revoke', req);
    return shown(row);
  }

  private async save(row: TokenRow, action: string, req: Request): Promise<void> {
    const { term, me } = this.leadership.current();
    const { hash: _hash, ...detail } = row;
    await this.store.transact(term, me, async (tx) => {
      await tx.saveToken(row);
      await tx.appendAudit({
        ...{ at: new Date().toISOString(), actor: req.operator ?? 'loopback', action, group: null, term, epoch: null },
        reason: `${row.role} token ${row.name}`,
        detail,
      });
    });
    this.book.forget();
  }
}

const shown = ({ hash: _hash, ...row }: TokenRow) => row;
