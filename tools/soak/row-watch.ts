import type { LabIdc } from '#lab';
import type { Installation } from '../installation/index.js';

const EVERY_MS = 1_000;
const STEADY = 800;

export type RowCounts = Readonly<{
  seen: number; // answers of controllers
  notSteady: number;
  byRow: Readonly<Record<string, number>>;
  unanswered: number;
  moved: boolean; // some controller named another cluster than a, or an epoch above 1
}>;

/** Asks every controller each second which row it sees. Nothing is wrong in a soak, so all of it should be 800 Steady. */
export class RowWatch {
  private readonly byRow = new Map<string, number>();
  private unanswered = 0;
  private moved = false;
  private asking = false;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly installation: Installation) {
    this.timer = setInterval(() => {
      if (this.asking) return; // a slow answer must not pile up requests
      this.asking = true;
      void this.look().finally(() => {
        this.asking = false;
      });
    }, EVERY_MS);
  }

  counts(): RowCounts {
    const seen = [...this.byRow.values()].reduce((sum, n) => sum + n, 0);
    return {
      seen,
      notSteady: seen - (this.byRow.get(String(STEADY)) ?? 0),
      byRow: Object.fromEntries(this.byRow),
      unanswered: this.unanswered,
      moved: this.moved,
    };
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const idcs: readonly LabIdc[] = ['a', 'b', 'c'];
    const answers = await Promise.allSettled(idcs.map((idc) => this.installation.group(idc)));
    for (const answer of answers) {
      if (answer.status === 'rejected') {
        this.unanswered += 1;
        continue;
      }
      const { row, active, epoch } = answer.value;
      this.byRow.set(String(row), (this.byRow.get(String(row)) ?? 0) + 1);
      this.moved ||= active !== 'a' || epoch !== 1;
    }
  }
}
