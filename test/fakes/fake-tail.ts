import { tailTopic, type SeamFinding, type SeamPosition, type TailCommand, type TailOutput } from '#failover';

/** As much of a world as a tail needs. */
type Around = Readonly<{
  answers(cluster: string): boolean;
  note(kind: 'tail-exported' | 'tail-replayed', subject: string, term: number): void;
}>;

/** The tail of a world: how many questions each work takes, what the seam is, what was written where, once. */
export class FakeTail {
  /** Answers before the last one say that the work is not finished. */
  questionsPerWork = 2;
  /** Partitions whose seam is not proved. */
  readonly seams = new Map<string, SeamFinding['seam']>();
  /** First offset that the active cluster still holds. */
  readonly copyStarts = new Map<string, number>();
  readonly exported = new Set<string>();
  readonly replayed = new Set<string>();
  readonly #asked = new Map<string, number>();

  constructor(private readonly world: Around) {}

  /** Null: a cluster that it needs does not answer. */
  run(body: TailCommand, group: string, term: number): TailOutput | null {
    const needed = body.kind === 'report_tail' ? [body.cluster] : [body.from, body.to];
    if (needed.some((name) => !this.world.answers(name))) return null;
    const key = JSON.stringify([group, body]);
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    const finished = asked % this.questionsPerWork === 0;
    const progress = { finished, done: finished ? 1 : 0, total: 1 };
    switch (body.kind) {
      case 'prove_seam':
        return { kind: 'seam_proof', progress, findings: finished ? body.positions.map((p) => this.finding(p)) : [] };
      case 'report_tail': {
        const records = body.ranges.reduce((n, r) => n + r.to - r.from, 0);
        const partitions = body.ranges.map((r) => ({
          topic: r.topic,
          partition: r.partition,
          records: r.to - r.from,
          bytes: 10 * (r.to - r.from),
          first: { offset: r.from, timestampMs: 0, key: null },
          last: { offset: r.to - 1, timestampMs: 0, key: null },
        }));
        return {
          kind: 'tail_report',
          progress,
          records,
          bytes: 10 * records,
          partitions,
          path: '/tails/report.ndjson',
        };
      }
      case 'export_tail': {
        const { written, present } = this.write(this.exported, body.ranges, finished);
        if (written > 0) this.world.note('tail-exported', body.from, term);
        return { kind: 'tail_export', progress, written, present, place: tailTopic(group) };
      }
      case 'replay_tail': {
        const { written, present } = this.write(this.replayed, body.ranges, finished);
        if (written > 0) this.world.note('tail-replayed', body.to, term);
        return { kind: 'tail_replay', progress, written, merged: 0, kept: 0, present };
      }
    }
  }

  private finding(p: SeamPosition): SeamFinding {
    const key = `${p.topic}/${p.partition}`;
    const seam = this.seams.get(key) ?? { verdict: 'proved', lastCopied: p.n ?? -1, compared: 16 };
    const copyStart = this.copyStarts.get(key) ?? 0;
    return { topic: p.topic, partition: p.partition, s: p.s, end: p.end, sourceStart: 0, copyStart, seam };
  }

  private write(
    into: Set<string>,
    ranges: readonly Readonly<{ topic: string; partition: number; from: number; to: number }>[],
    finished: boolean,
  ): { written: number; present: number } {
    let written = 0;
    let present = 0;
    for (const r of finished ? ranges : []) {
      for (let offset = r.from; offset < r.to; offset++) {
        const key = `${r.topic}/${r.partition}/${offset}`;
        if (into.has(key)) present += 1;
        else written += 1;
        into.add(key);
      }
    }
    return { written, present };
  }
}
