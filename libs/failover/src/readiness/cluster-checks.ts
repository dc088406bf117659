import type { Ms } from '#health';
import { selfFenceView } from '../fencing/self-fence.js';
import type { WriteLack } from '../matrix/facts.js';
import { situationOf } from '../matrix/situation.js';
import { bad, ok, seconds, some } from './finding.js';
import type { Check, Finding } from './types.js';

const REBALANCE_DELAY_LONG_MS: Ms = 1_000;
const DISK_LOW_SHARE = 0.15;
const DISK_OUT_SHARE = 0.05;
const GIB = 1024 ** 3;

/** What the two clusters must offer before traffic may move between them. */
export const CLUSTER_CHECKS: readonly Check[] = [
  {
    id: 'fence-offered',
    look: (_, sides) =>
      [sides.active, sides.standby].flatMap((cluster): readonly Finding[] => {
        const fencing = sides.settings(cluster)?.fencing;
        if (cluster === null || fencing === undefined)
          return bad('unknown', `what fences ${cluster ?? '?'} offers was not looked at`, 'run an agent in its IDC');
        const best = fencing.offers.find((o) => o.usable);
        if (best === undefined)
          return bad(
            'warn',
            `${cluster} offers no fence: ${fencing.offers.map((o) => o.reason).join('; ')}`,
            'an authorizer with deny by default, or a hook',
          );
        const weak = fencing.authorizer === true && fencing.denyByDefault === false;
        if (weak)
          return bad(
            'warn',
            `${cluster}: any ACL would also cut reads (allow.everyone.if.no.acl.found)`,
            'set allow.everyone.if.no.acl.found=false and grant what applications need',
          );
        return ok(`${cluster} can be fenced by ${best.kind}`);
      }),
  },
  {
    // Where the fence is strict nothing moves without it, and in mode observe it is never armed.
    id: 'self-fence',
    look: ({ snapshot, policy }, { active }) => {
      const { target, fitness } = situationOf(snapshot, policy);
      const view = selfFenceView(snapshot, { target: target?.name ?? null, targetFit: fitness }, policy);
      if (view === null) return [];
      if (view.armed) return ok(`self-fence armed: ${view.says}`);
      const level = snapshot.group.mode === 'observe' ? 'warn' : 'blocker';
      return bad(level, `self-fence not armed: ${view.says}`, `mend what is named, and run an agent beside ${active}`);
    },
  },
  {
    id: 'standby-fenced',
    look: ({ snapshot }, { standby, settings }) => {
      const acl = settings(standby)?.fencing?.offers.some((o) => o.usable && o.kind === 'acl') === true;
      const fence = snapshot.fences.find((f) => f.cluster === standby);
      if (!acl || fence === undefined || fence.state === 'fenced') return [];
      return bad(
        'warn',
        `${standby} is ${fence.state} to applications, though ACLs could close it`,
        'a stray writer there would be lost or doubled: fence it',
      );
    },
  },
  {
    id: 'observers',
    look: ({ snapshot }) => {
      const silent = snapshot.observers.filter((o) => o.ageMs === null || o.ageMs > snapshot.probe.periodMs * 5);
      if (silent.length === 0) return ok(`${snapshot.observers.length} observers report`);
      return bad(
        'warn',
        `silent observers: ${silent.map((o) => o.agent).join(', ')}`,
        'start them: fewer observers decide nothing',
      );
    },
  },
  {
    id: 'rebalance-delay',
    look: (_, { standby, settings }) => {
      const delayMs = settings(standby)?.initialRebalanceDelayMs ?? null;
      if (delayMs === null)
        return bad(
          'unknown',
          `group.initial.rebalance.delay.ms of ${standby} is not known`,
          'set it to 0 on the standby: Kafka waits 3 s',
        );
      if (delayMs > REBALANCE_DELAY_LONG_MS)
        return bad(
          'warn',
          `consumers wait ${seconds(delayMs)} for their first rebalance on ${standby}`,
          'group.initial.rebalance.delay.ms=0',
        );
      return ok(`first rebalance on ${standby} after ${seconds(delayMs)}`);
    },
  },
  {
    // A super user's rights show in no ACL, so it would be listed here: it is not to be named under `principals`.
    id: 'principals-may-write',
    look: ({ snapshot, principals }, { standby, settings }) => {
      const fencing = settings(standby)?.fencing;
      if (fencing?.authorizer !== true) return [];
      if (principals.length === 0)
        return bad(
          'unknown',
          `nobody is named who must be able to write on ${standby}`,
          "list them under the group's principals",
        );
      if (fencing.denyByDefault === false) return ok(`${standby} lets everybody write where no ACL says otherwise`);
      const lacks = (fencing.cannotWrite ?? []).filter((l) => l.group === snapshot.group.name);
      if (lacks.length === 0) return ok(`${some(principals)} may write on ${standby}`);
      const level = fencing.denyByDefault === true ? 'blocker' : 'unknown';
      return bad(
        level,
        `no ACL on ${standby} lets ${some(lacks.map(lackText))}`,
        `grant them Write there, as on the active cluster: kafka-acls.sh --add --allow-principal … --operation Write --topic …`,
      );
    },
  },
  {
    id: 'disk-space',
    look: (_, { active, standby, settings }) =>
      [standby, active].flatMap((cluster): readonly Finding[] => {
        const space = settings(cluster)?.logDirSpace;
        if (cluster === null) return [];
        if (space === undefined)
          return bad(
            'unknown',
            `free disk of ${cluster} is not seen`,
            'Kafka 3.3 or later, and Describe on the cluster for its agent',
          );
        const share = space.freeBytes / space.totalBytes;
        const what = `${cluster}, broker ${space.broker}: ${(share * 100).toFixed(0)} % of the fullest disk is free, ${(space.freeBytes / GIB).toFixed(1)} GiB`;
        if (share >= DISK_LOW_SHARE) return ok(what);
        // The standby takes all traffic at once; a full disk of the active one is its own trouble.
        const level = share < DISK_OUT_SHARE && cluster === standby ? 'blocker' : 'warn';
        return bad(level, what, 'add room, or shorten retention, before the traffic comes');
      }),
  },
];

const lackText = ({ principal, topic }: WriteLack): string => `${principal} write ${topic}`;
