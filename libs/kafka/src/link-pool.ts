import type { ClusterConnectionConfig } from './connection-config.js';
import { AddressBook } from './address-book.js';
import { BrokerLink } from './broker-link.js';

/**
 * Connections by lane and address. A broker answers one connection strictly in order, so a request that waits (a
 * produce with acks=all, a question to a quorum without a leader) needs a lane of its own, or it would hold up facts.
 */
export class LinkPool {
  readonly #config: ClusterConnectionConfig;
  readonly #addresses: AddressBook;
  readonly #links = new Map<string, BrokerLink>();

  constructor(config: ClusterConnectionConfig, addresses = new AddressBook()) {
    this.#config = config;
    this.#addresses = addresses;
  }

  link(lane: string, address: string): BrokerLink {
    const key = `${lane}@${address}`;
    let link = this.#links.get(key);
    if (!link) {
      const { clientId, security, identity } = this.#config;
      link = new BrokerLink(address, { clientId, security, addresses: this.#addresses, identity });
      this.#links.set(key, link);
    }
    return link;
  }

  /** Closes links to addresses that are no longer of the cluster: file descriptors must not grow with its history. */
  retain(addresses: ReadonlySet<string>): void {
    for (const [key, link] of this.#links) {
      if (addresses.has(link.address)) continue;
      link.close();
      this.#links.delete(key);
    }
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}
