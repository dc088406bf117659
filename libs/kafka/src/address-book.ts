import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Ms } from '#health';
import { withDeadline } from './deadline.js';

export type Lookup = (host: string) => Promise<string>;

const systemLookup: Lookup = async (host) => (await lookup(host, { verbatim: true })).address;

/**
 * Host names to addresses, remembering the last good ones: when DNS fails, probes go on to where the brokers were,
 * so that a dead resolver never looks like a dead cluster.
 */
export class AddressBook {
  readonly #lookup: Lookup;
  readonly #lastGood = new Map<string, string>();

  constructor(resolve: Lookup = systemLookup) {
    this.#lookup = resolve;
  }

  /** @throws the resolver's error when the name was never resolved before. */
  async resolve(host: string, patienceMs: Ms): Promise<string> {
    if (isIP(host) !== 0) return host;
    try {
      const address = await withDeadline(`DNS for ${host}`, this.#lookup(host), patienceMs);
      this.#lastGood.set(host, address);
      return address;
    } catch (cause) {
      const known = this.#lastGood.get(host);
      if (known) return known;
      throw Object.assign(new Error(`cannot resolve ${host}`, { cause }), { code: 'EAI_AGAIN' });
    }
  }
}
