import type { ConfigCenter, Pointer } from './port.js';

/**
 * Brings a center that follows to what the authoritative one holds; false: it refused, and trying again is right. It is claimed
 * with the *pointer's* term, so that the same pointer fits into every center whoever brings it.
 */
export async function bringAlong(center: ConfigCenter, pointer: Pointer): Promise<boolean> {
  const held = await center.read(pointer.group);
  if (held !== null && held.epoch >= pointer.epoch) return true;
  await center.claim(pointer.group, pointer.term);
  const result = await center.publish(pointer, { expectedEpoch: held?.epoch ?? 0, term: pointer.term });
  return result.ok;
}
