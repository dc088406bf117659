import { randomBytes } from 'node:crypto';
import { Body, Controller, Inject, Param, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Json } from '#failover';
import { newId } from '#platform';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import type { TokenRow } from '../persistence/tokens.port.js';
import { ROUTES } from './contract/routes.js';
import './http/identity.js';
import { notFound } from './http/problem.js';
import { Serves } from './http/serves.decorator.js';
import { TokenBook, tokenHash } from './http/token-book.js';
import { callerOf, writeKey } from './http/write.guard.js';
import { toJson } from './views/json.js';
import { KeptAnswers } from './writes/kept-answers.js';
import type { WriteAnswer } from './writes/kept-answers.js';
import { createTokenSchema, type CreateTokenBody } from './writes/schemas.js';

/** Who may ask and tell. A token is shown once, at its creation; what is kept is its hash. */
@Controller()
export class TokensController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(TokenBook) private readonly book: TokenBook,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  @Serves(ROUTES.tokens)
  async list() {
    return { tokens: (await this.store.tokens()).map(shown) };
  }

  /** A repeat of its key gets the answer without the token: what is kept of one is its hash. */
  @Serves(ROUTES.createToken)
  async create(@Body({ schema: createTokenSchema }) body: CreateTokenBody, @Req() req: Request): Promise<Json> {
    const answer = await this.answers.once(writeKey(req), ['token-create', body], async (bodyHash) => {
      const token = `pt_${randomBytes(32).toString('base64url')}`;
      const at = Date.now();
      const row: TokenRow = {
        ...{ id: newId(), name: body.name, role: body.role, hash: tokenHash(token), revokedAt: null },
        createdAt: new Date(at).toISOString(),
        createdBy: req.operator ?? 'loopback',
        expiresAt: new Date(at + body.expiresIn).toISOString(),
      };
      await this.save(row, 'token-create', req, {
        bodyHash,
        status: 201,
        body: toJson({ ...shown(row), token: null }),
      });
      return { status: 201, body: toJson({ ...shown(row), token }) };
    });
    return answer.body;
  }

  @Serves(ROUTES.revokeToken)
  async revoke(@Param('id') id: string, @Req() req: Request): Promise<Json> {
    const answer = await this.answers.once(writeKey(req), ['token-revoke', id], async (bodyHash) => {
      const known = (await this.store.tokens()).find((row) => row.id === id);
      if (known === undefined) throw notFound(`Token ${id}`, 'List them with GET /v1/tokens.');
      const row = { ...known, revokedAt: known.revokedAt ?? new Date().toISOString() };
      const kept = { status: 200, body: toJson(shown(row)) };
      await this.save(row, 'token-revoke', req, { bodyHash, ...kept });
      return kept;
    });
    return answer.body;
  }

  private async save(
    row: TokenRow,
    action: string,
    req: Request,
    kept: WriteAnswer & Readonly<{ bodyHash: string }>,
  ): Promise<void> {
    const { term, me } = this.leadership.current();
    const { hash: _hash, ...detail } = row;
    const at = new Date().toISOString();
    await this.store.transact(term, me, async (tx) => {
      await tx.saveToken(row);
      await tx.appendAudit({
        ...{ at, actor: req.operator ?? 'loopback', action, group: null, term, epoch: null },
        reason: `${row.role} token ${row.name}`,
        detail: { ...callerOf(req), ...detail },
      });
      await tx.rememberAnswer(writeKey(req), { at, ...kept });
    });
    this.book.forget();
  }
}

const shown = ({ hash: _hash, ...row }: TokenRow) => row;
