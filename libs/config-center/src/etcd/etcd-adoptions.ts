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

/**
 * Client reports as keys under leases: one lease per ttl and process, renewed with each report, so that a dead process
 * takes all its clients along.
 */
export class EtcdAdoptions implements AdoptionLog {
  private readonly etcd: EtcdGateway;
  private readonly leases = new Map<number, string>(); // ttl in seconds → lease
  private asking: Promise<unknown> = Promise.resolve(); // one at a time: two grants for one ttl would leave one behind

  constructor(etcd: EtcdGateway) {
    this.etcd = etcd;
  }

  async report(report: ClientReport, ttlMs: number): Promise<void> {
    checkReport(report, ttlMs);
    const ttlSeconds = Math.ceil(ttlMs / 1_000);
    const leasing = this.asking.then(() => this.lease(ttlSeconds));
    this.asking = leasing.catch(() => undefined); // told to the caller whose lease it is
    await this.etcd.putLeased(prefixOf(report.group) + report.instance, formatReport(report), await leasing);
  }

  async withdraw(group: string, instance: string): Promise<void> {
    await this.etcd.delete(prefixOf(group) + instance);
  }

  async adoptions(group: string): Promise<readonly ClientReport[]> {
    const found = await this.etcd.getPrefix(prefixOf(group), MAX_ADOPTIONS);
    return found.flatMap((kv) => parseReport(kv.value) ?? []);
  }

  private async lease(ttlSeconds: number): Promise<string> {
    const held = this.leases.get(ttlSeconds);
    if (held !== undefined && (await this.etcd.keepLease(held))) return held;
    const fresh = await this.etcd.grantLease(ttlSeconds);
    this.leases.set(ttlSeconds, fresh);
    return fresh;
  }
}
