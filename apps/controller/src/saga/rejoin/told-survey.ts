import type { Json } from '#failover';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import { switchEpoch, type Standing } from '../present-switch.js';
import { valueOf } from '../saga-journal.js';

/**
 * What was found of a returned cluster is an act in the audit, which is never pruned: the old side may wait for its rejoin
 * longer than events are kept, and behind any number of them.
 */
export const SURVEY_ACT = 'rejoin survey';

type Store = Pick<AuthorityStore, 'lastAct' | 'sagas'>;

/** `present`: of the switch that made the active cluster active, and not of one that lies behind it. */
export type ToldSurvey = Readonly<{ survey: Json; present: boolean }>;

/** The newest survey of the group; null: none was made. */
export async function toldSurvey(store: Store, at: Standing): Promise<ToldSurvey | null> {
  const survey = await lastSurvey(store, at.group);
  if (survey === null) return null;
  return { survey, present: valueOf(survey, 'switchEpoch') === (await switchEpoch(store, at)) };
}

/** Whether what only the old side holds was told after the switch of that epoch. */
export async function isSurveyed(store: Pick<Store, 'lastAct'>, group: string, epoch: number): Promise<boolean> {
  return valueOf(await lastSurvey(store, group), 'switchEpoch') === epoch;
}

async function lastSurvey(store: Pick<Store, 'lastAct'>, group: string): Promise<Json> {
  return valueOf((await store.lastAct(group, SURVEY_ACT))?.detail ?? null, 'survey');
}
