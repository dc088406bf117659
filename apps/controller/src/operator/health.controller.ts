import { Controller, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { Serves } from './http/serves.decorator.js';
import { SignIn } from './oidc/sign-in.service.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { within } from './within.js';

const PING_MS = 1_000;

@Controller()
export class HealthController {
  constructor(
    @Inject(OPERATOR_OPTIONS) private readonly options: OperatorOptions,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(SignIn) private readonly signIn: SignIn,
  ) {}

  /** Depends on nothing outside: a restart cures nothing that lies elsewhere. */
  @Serves(ROUTES.alive)
  alive() {
    return { status: 'ok', id: this.options.controllerId, version: this.options.version };
  }

  /** The store answers, and every group has been judged on more than first impressions. */
  @Serves(ROUTES.ready)
  async ready(@Res({ passthrough: true }) res: Response) {
    const store =
      (await within(
        PING_MS,
        this.store.ping().then(() => true),
      )) ?? false;
    const caughtUp = this.options.groups.every((g) => this.decisions.latest(g.name)?.snapshot.graceOver === true);
    const ready = store && caughtUp;
    const keys = this.signIn.keyState();
    const signInKeys = keys === null ? {} : { signInKeys: keys };
    res.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready', checks: { store, caughtUp, ...signInKeys } };
  }
}
