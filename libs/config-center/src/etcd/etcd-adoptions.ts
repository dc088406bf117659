import {
  type AdoptionLog,
  type ClientReport,
  MAX_ADOPTIONS,
  checkReport,
  formatReport,
  parseReport,
} from '../adoption.js';
import type { EtcdGateway } from './etcd-gateway.js';

const prefixOf = (group: string) => `/pointsman/v1/groups/${group}/clients/`;

/** A lease renewed this part of its ttl ago is good enough: many clients of one process report a switch together. */
const STILL_FRESH = 1 / 10;

type Lease = Readonly<{ id: string; renewedAtMs: number }>;

/**
 * Client reports as keys under leases: one lease per ttl and process, renewed with the reports, so that a dead process
 * takes all its clients along.
 */
export class EtcdAdoptions implements AdoptionLog {
  private readonly etcd: EtcdGateway;
  private readonly leases = new Map<number, Lease>(); // by ttl in seconds
  private readonly asking = new Map<number, Promise<string>>(); // two grants for one ttl would leave one behind

  constructor(etcd: EtcdGateway) {
    this.etcd = etcd;
  }

  async report(report: ClientReport, ttlMs: number): Promise<void> {
    checkReport(report, ttlMs);
    const ttlSeconds = Math.ceil(ttlMs / 1_000);
    try {
      const lease = await this.sharedLease(ttlSeconds);
      await this.etcd.putLeased(prefixOf(report.group) + report.instance, formatReport(report), lease);
    } catch (e) {
      this.leases.delete(ttlSeconds); // it may be the lease that is gone: the next report asks
      throw e;
    }
  }

  async withdraw(group: string, instance: string): Promise<void> {
    await this.etcd.delete(prefixOf(group) + instance);
  }

  async adoptions(group: string): Promise<readonly ClientReport[]> {
    const found = await this.etcd.getPrefix(prefixOf(group), MAX_ADOPTIONS);
    return found.flatMap((kv) => parseReport(kv.value) ?? []);
  }

  /** One question for all who report together: where nothing answers, each would wait for the time-outs of all before. */
  private sharedLease(ttlSeconds: number): Promise<string> {
    const asked = this.asking.get(ttlSeconds);
    if (asked !== undefined) return asked;
    const asking = this.lease(ttlSeconds).finally(() => this.asking.delete(ttlSeconds));
    this.asking.set(ttlSeconds, asking);
    return asking;
  }

  private async lease(ttlSeconds: number): Promise<string> {
    const held = this.leases.get(ttlSeconds);
    const askedAtMs = performance.now(); // the server counts from later
    if (held !== undefined) {
      if (askedAtMs - held.renewedAtMs < ttlSeconds * 1_000 * STILL_FRESH) return held.id;
      if (await this.etcd.keepLease(held.id)) return this.remember(ttlSeconds, held.id, askedAtMs);
    }
    return this.remember(ttlSeconds, await this.etcd.grantLease(ttlSeconds), askedAtMs);
  }

  private remember(ttlSeconds: number, id: string, renewedAtMs: number): string {
    this.leases.set(ttlSeconds, { id, renewedAtMs });
    return id;
  }
}
