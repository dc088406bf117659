import type { ManagedProcess } from './processes.js';
import type { LabClusterName, LabIdc, LabTarget } from './types.js';

/** One thing of the lab that can be killed and started. */
export type Unit = {
  readonly kind: 'broker' | 'connect' | 'postgres' | 'etcd' | 'process';
  readonly idc: LabIdc;
  readonly cluster?: LabClusterName;
  readonly nodeId?: number;
  readonly process: ManagedProcess;
  /** The ports it listens on: routes to them go down with it. */
  readonly ports: readonly number[];
  /** Resolves when it serves; rejects when it ended or its deadline passed. */
  ready(): Promise<void>;
};

/** The units that a target means. An unknown one is an error: a kill that kills nothing would make a test lie. */
export function unitsOf(target: LabTarget, units: readonly Unit[]): Unit[] {
  const found = units.filter((unit) => matches(target, unit));
  if (found.length === 0) throw new Error(`the lab has no ${JSON.stringify(target)}`);
  return found;
}

function matches(target: LabTarget, unit: Unit): boolean {
  if ('broker' in target)
    return unit.kind === 'broker' && unit.cluster === target.broker[0] && unit.nodeId === target.broker[1];
  if ('cluster' in target) return unit.kind === 'broker' && unit.cluster === target.cluster;
  if ('connect' in target) return unit.kind === 'connect' && unit.cluster === target.connect;
  if ('idc' in target) return unit.idc === target.idc;
  if ('process' in target) return unit.kind === 'process' && unit.process.name === target.process;
  if ('postgres' in target) return unit.kind === 'postgres';
  return unit.kind === 'etcd';
}
