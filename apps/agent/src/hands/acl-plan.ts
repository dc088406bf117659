import type { AclChange } from '#kafka';
import {
  ANY_HOST,
  foreignDenials,
  keyOf,
  TAG,
  WRITES,
  type AclResource,
  type AclView,
  type Right,
} from '../probes/acl-rules.js';

/** What to create and to take away for fence 1, and for the consumer groups beside it. Pure. */

const denial = (right: Right, { name, pattern }: AclResource, principal: string, host: string): AclChange => ({
  ...right,
  name,
  pattern,
  principal,
  host,
  permission: 'deny',
});

export type AclPlan = Readonly<{
  create: readonly AclChange[];
  remove: readonly AclChange[];
  remarks: readonly string[];
}>;

/** `views`: one per broker. What somebody else denied already is left without a tag, so that it is never taken away. */
export function planAclFence(
  goal: Readonly<{ group: string; epoch: number }>,
  resources: readonly AclResource[],
  principals: readonly string[],
  views: readonly AclView[],
  right: Right = WRITES,
): AclPlan {
  const host = `${TAG}:${goal.group}:${goal.epoch}`;
  const create: AclChange[] = [];
  const remarks: string[] = [];
  const wanted = new Set<string>();
  for (const resource of resources) {
    for (const principal of principals) {
      const key = keyOf({ ...resource, principal });
      wanted.add(key);
      const tagged = views.some((v) => v.tags.has(key));
      const everywhere = views.every((v) => v.denied.has(key));
      if (everywhere) {
        if (!tagged) remarks.push(`${key}: denied before by somebody else, left as it is`);
        continue;
      }
      if (views.every((v) => !v.denied.has(key) && v.tags.has(key))) remarks.push(`${key}: the fence had been removed`);
      create.push(denial(right, resource, principal, ANY_HOST));
      if (!tagged) create.push(denial(right, resource, principal, host));
    }
  }
  const stale = ownEntries(views, right).filter((e) => !wanted.has(keyOf(e)));
  return { create, remove: stale, remarks };
}

/** Takes away what carries this group's tag, twin included, and reports what denies everybody without one. */
export function planAclOpen(
  resources: readonly AclResource[],
  views: readonly AclView[],
  right: Right = WRITES,
): AclPlan {
  const foreign = foreignDenials(resources, views).map((key) => `${key}: denied by somebody else, left as it is`);
  return { create: [], remove: ownEntries(views, right), remarks: foreign };
}

/** Each tagged denial with all its twins, once, whichever broker still shows it. */
function ownEntries(views: readonly AclView[], right: Right): readonly AclChange[] {
  const found = new Map<string, AclChange>();
  for (const view of views) {
    for (const tags of view.tags.values()) {
      for (const tag of tags) {
        const own = denial(right, tag, tag.principal, ANY_HOST);
        for (const e of [own, denial(right, tag, tag.principal, tag.host)]) found.set(`${keyOf(e)} ${e.host}`, e);
      }
    }
  }
  return [...found.values()];
}
