import type { components } from './generated/openapi.js';

/** The bodies that the CLI renders, by the names that commands use; made from docs/openapi.json. */
type Shapes = components['schemas'];

/** The parts of a group that are rendered; everything else passes through `-o json` unseen. */
export type GroupBody = Pick<
  Shapes['Group'],
  | ('group' | 'active' | 'standby' | 'mode' | 'row' | 'name' | 'state' | 'gate' | 'action' | 'wouldDo' | 'reasons')
  | ('window' | 'blockers' | 'lag' | 'epoch' | 'leader' | 'observers' | 'pause' | 'frozen' | 'saga' | 'lossAcceptance')
  | ('pausedEverywhere' | 'modeSet' | 'proposal' | 'selfFence' | 'scheduled')
>;
export type EventBody = Shapes['Event'];
export type PlannedBody = Shapes['PlannedAct'];
export type ApprovedBody = Shapes['ApprovedAct'];
export type OperationBody = Shapes['Operation'];
export type TailBody = Shapes['Tail'];
export type ControllersBody = Shapes['Controllers'];
/** What came may be another server's, with a code of its own. */
export type ProblemBody = Omit<Shapes['Problem'], 'code' | 'type' | 'instance'> & Readonly<{ code: string }>;
export type ReadinessBody = Pick<Shapes['Readiness'], 'group' | 'ready' | 'lines' | 'ifItFailedOverNow'>;
export type ClientsBody = Pick<
  Shapes['Clients'],
  'pointer' | 'known' | 'adopted' | 'clients' | 'unwrapped' | 'strayWrites'
>;
/** What every act answers, whatever else it has. */
export type WriteBody = Pick<Shapes['GroupAct'], 'group' | 'action' | 'dryRun' | 'changed' | 'summary' | 'epoch'>;
export type FleetBody = Shapes['FleetAct'];
export type AlertDeliveryBody = Shapes['AlertDelivery'];
export type AlertState = 'all' | 'pending' | 'dead';
export type TokenRole = Shapes['CreateToken']['role'];
