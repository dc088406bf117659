import { Controller, Inject, Param } from '@nestjs/common';
import type { Json } from '#failover';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { toldSurvey } from '../saga/saga.port.js';
import { ROUTES } from './contract/routes.js';
import { Groups } from './groups.service.js';
import { notFound } from './http/problem.js';
import { Serves } from './http/serves.decorator.js';

/** What a returned cluster alone holds, as it was surveyed when it came back. */
@Controller()
export class TailController {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  @Serves(ROUTES.tail)
  async tail(@Param('group') group: string) {
    this.groups.config(group);
    const row = (await this.store.groups()).find(({ name }) => name === group);
    const told = row === undefined ? null : await toldSurvey(this.store, { ...row, group });
    const survey = told === null ? null : fieldsOf(told.survey);
    if (told === null || survey === null) {
      throw notFound(`A survey of ${group}`, 'It is made when an old primary answers again and is closed.');
    }
    // Of a cluster that waits again, after break-glass, an older survey says nothing.
    const waiting = told.present && row?.rejoin.some((name) => name === survey.cluster) === true;
    return { group, ...survey, state: waiting ? 'awaiting-choice' : 'rejoined' };
  }
}

const fieldsOf = (survey: Json): Readonly<Record<string, Json>> | null =>
  survey === null || typeof survey !== 'object' || Array.isArray(survey)
    ? null
    : Object.fromEntries(Object.entries(survey));
