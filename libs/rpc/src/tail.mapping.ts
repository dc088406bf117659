import type { JobProgress, ResolverStrategy, SeamFinding, TailCommand, TailEdge, TailOutput } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { enumCodec, orNull, orUndefined } from './wire.js';

const destination = enumCodec<'file' | 'topic'>({
  file: pb.TailDestination.TAIL_DESTINATION_FILE,
  topic: pb.TailDestination.TAIL_DESTINATION_TOPIC,
});
const strategy = enumCodec<ResolverStrategy>({
  'last-write-wins': pb.ReplayStrategy.REPLAY_STRATEGY_LAST_WRITE_WINS,
  'source-priority': pb.ReplayStrategy.REPLAY_STRATEGY_SOURCE_PRIORITY,
  merge: pb.ReplayStrategy.REPLAY_STRATEGY_MERGE,
  custom: pb.ReplayStrategy.REPLAY_STRATEGY_CUSTOM,
});

type WireBody = Extract<
  NonNullable<pb.Command['body']>,
  { $case: 'proveSeam' | 'reportTail' | 'exportTail' | 'replayTail' }
>;
type WireOutcome = Extract<
  NonNullable<pb.CommandResult['outcome']>,
  { $case: 'seamProof' | 'tailReport' | 'tailExport' | 'tailReplay' }
>;

export function tailCommandToWire(b: TailCommand): WireBody {
  switch (b.kind) {
    case 'prove_seam': {
      const positions = b.positions.map((p) => ({ ...p, n: orUndefined(p.n) }));
      return { $case: 'proveSeam', proveSeam: { from: b.from, to: b.to, positions, records: b.records } };
    }
    case 'report_tail':
      return { $case: 'reportTail', reportTail: { cluster: b.cluster, ranges: b.ranges } };
    case 'export_tail': {
      const { from, to, ranges } = b;
      const where = destination.toWire(b.destination) as pb.TailDestination;
      return { $case: 'exportTail', exportTail: { from, to, ranges, destination: where } };
    }
    case 'replay_tail': {
      const { from, to, ranges, since, priority } = b;
      const how = strategy.toWire(b.strategy) as pb.ReplayStrategy;
      return { $case: 'replayTail', replayTail: { from, to, ranges, since, strategy: how, priority } };
    }
  }
}

/** Null: with a word that this version does not know. */
export function tailCommandFromWire(b: WireBody): TailCommand | null {
  switch (b.$case) {
    case 'proveSeam': {
      const { from, to, records } = b.proveSeam;
      const positions = b.proveSeam.positions.map((p) => ({ ...p, n: orNull(p.n) }));
      return { kind: 'prove_seam', from, to, positions, records };
    }
    case 'reportTail':
      return { kind: 'report_tail', cluster: b.reportTail.cluster, ranges: b.reportTail.ranges };
    case 'exportTail': {
      const where = destination.fromWire(b.exportTail.destination);
      const { from, to, ranges } = b.exportTail;
      return where === null ? null : { kind: 'export_tail', from, to, ranges, destination: where };
    }
    case 'replayTail': {
      const how = strategy.fromWire(b.replayTail.strategy);
      const { from, to, ranges, since, priority } = b.replayTail;
      return how === null ? null : { kind: 'replay_tail', from, to, ranges, since, strategy: how, priority };
    }
  }
}

export function tailOutputToWire(o: TailOutput): WireOutcome {
  const { progress } = o;
  switch (o.kind) {
    case 'seam_proof':
      return { $case: 'seamProof', seamProof: { progress, findings: o.findings.map(findingToWire) } };
    case 'tail_report': {
      const partitions = o.partitions.map((p) => ({ ...p, first: edgeToWire(p.first), last: edgeToWire(p.last) }));
      return {
        $case: 'tailReport',
        tailReport: { progress, records: o.records, bytes: o.bytes, partitions, path: o.path },
      };
    }
    case 'tail_export':
      return {
        $case: 'tailExport',
        tailExport: { progress, written: o.written, present: o.present, place: o.place },
      };
    case 'tail_replay': {
      const { written, merged, kept, present } = o;
      return { $case: 'tailReplay', tailReplay: { progress, written, merged, kept, present } };
    }
  }
}

/** Null: a finding whose verdict is unknown must not be taken for a proof. */
export function tailOutputFromWire(o: WireOutcome): TailOutput | null {
  switch (o.$case) {
    case 'seamProof': {
      const findings = o.seamProof.findings.map(findingFromWire);
      const known = findings.filter((f) => f !== null);
      if (known.length !== findings.length) return null;
      return { kind: 'seam_proof', progress: progressFromWire(o.seamProof.progress), findings: known };
    }
    case 'tailReport': {
      const { records, bytes, path } = o.tailReport;
      const partitions = o.tailReport.partitions.map((p) => ({
        ...p,
        first: edgeFromWire(p.first),
        last: edgeFromWire(p.last),
      }));
      return {
        kind: 'tail_report',
        progress: progressFromWire(o.tailReport.progress),
        records,
        bytes,
        partitions,
        path,
      };
    }
    case 'tailExport': {
      const { written, present, place } = o.tailExport;
      return { kind: 'tail_export', progress: progressFromWire(o.tailExport.progress), written, present, place };
    }
    case 'tailReplay': {
      const { written, merged, kept, present } = o.tailReplay;
      return { kind: 'tail_replay', progress: progressFromWire(o.tailReplay.progress), written, merged, kept, present };
    }
  }
}

const UNKNOWN: JobProgress = { finished: false, done: 0, total: 0 };
const progressFromWire = (p: pb.JobProgress | undefined): JobProgress => p ?? UNKNOWN;

const edgeToWire = (e: TailEdge | null): pb.TailEdge | undefined =>
  e === null ? undefined : { ...e, key: orUndefined(e.key) };
const edgeFromWire = (e: pb.TailEdge | undefined): TailEdge | null =>
  e === undefined ? null : { ...e, key: orNull(e.key) };

function findingToWire({ seam, ...at }: SeamFinding): pb.SeamFinding {
  switch (seam.verdict) {
    case 'proved':
      return {
        ...at,
        seam: { $case: 'proved', proved: { lastCopied: seam.lastCopied, compared: seam.compared } },
      };
    case 'shorter':
      return { ...at, seam: { $case: 'shorter', shorter: { end: seam.end, needed: seam.needed } } };
    case 'different':
      return { ...at, seam: { $case: 'different', different: { reason: seam.reason } } };
  }
}

function findingFromWire({ seam, ...at }: pb.SeamFinding): SeamFinding | null {
  switch (seam?.$case) {
    case 'proved':
      return { ...at, seam: { verdict: 'proved', ...seam.proved } };
    case 'shorter':
      return { ...at, seam: { verdict: 'shorter', ...seam.shorter } };
    case 'different':
      return { ...at, seam: { verdict: 'different', ...seam.different } };
    case undefined:
      return null;
  }
}
