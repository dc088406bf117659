import { Controller, Inject, Param } from '@nestjs/common';
import type { Json } from '#failover';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ROUTES } from './contract/routes.js';
import { Groups } from './groups.service.js';
import { notFound } from './http/problem.js';
import { Serves } from './http/serves.decorator.js';

const EVENTS_LOOKED_AT = 500;

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
    const [events, rows] = await Promise.all([this.store.lastEvents(EVENTS_LOOKED_AT, group), this.store.groups()]);
    const survey = events.map((e) => surveyIn(e.detail)).findLast((found) => found !== null);
    if (survey === undefined || survey === null) {
      throw notFound(`A survey of ${group}`, 'It is made when an old primary answers again and is closed.');
    }
    const waiting = rows.find((row) => row.name === group)?.rejoin.some((name) => name === survey.cluster) === true;
    return { group, ...survey, state: waiting ? 'awaiting-choice' : 'rejoined' };
  }
}

function surveyIn(detail: Json): Readonly<Record<string, Json>> | null {
  if (detail === null || typeof detail !== 'object' || Array.isArray(detail)) return null;
  const found = Object.entries(detail).find(([key]) => key === 'survey')?.[1];
  return found === undefined || found === null || typeof found !== 'object' || Array.isArray(found)
    ? null
    : Object.fromEntries(Object.entries(found));
}
