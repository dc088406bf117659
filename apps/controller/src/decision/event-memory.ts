import type { Json } from '#failover';
import type { AuthorityStore, EventRow } from '../persistence/authority-store.port.js';

/** Events looked back at per group; a story that is older has its row among the open incidents. */
const PER_GROUP = 50;
const PAGE = 200;

type Source = Pick<AuthorityStore, 'events' | 'lastEvents'>;
type Told = Readonly<{ incidents: readonly string[]; alertIds: readonly string[] }>;

/**
 * Which alerts and incidents the newest events of each group name. Reads on from where it was: an event carries its whole
 * explanation, and every controller looks at every tick.
 */
export class EventMemory {
  private readonly byGroup = new Map<string, Told[]>();
  private seq: number | null = null;

  /** Brings the memory up to date with the store; a store that was restored to an earlier state is read anew. */
  async read(store: Source, groups: readonly string[]): Promise<void> {
    const newest = (await store.lastEvents(1))[0]?.seq ?? 0;
    if (this.seq === null || newest < this.seq) return await this.readAnew(store, groups, newest);
    while (this.seq < newest) {
      const page = await store.events(this.seq, PAGE);
      for (const event of page) this.keep(event);
      this.seq = page.at(-1)?.seq ?? newest;
    }
  }

  /** Incident names, oldest first within a group. */
  incidents(): readonly string[] {
    return [...this.byGroup.values()].flat().flatMap((t) => t.incidents);
  }

  /** Ids of alerts, oldest first within a group. */
  alertIds(): readonly string[] {
    return [...this.byGroup.values()].flat().flatMap((t) => t.alertIds);
  }

  private async readAnew(store: Source, groups: readonly string[], newest: number): Promise<void> {
    const read = await Promise.all(groups.map((group) => store.lastEvents(PER_GROUP, group)));
    this.byGroup.clear();
    for (const event of read.flat()) if (event.seq <= newest) this.keep(event);
    this.seq = newest;
  }

  private keep({ group, type, detail }: EventRow): void {
    if (group === null) return;
    const kept = this.byGroup.get(group) ?? [];
    kept.push({ incidents: textIn(detail, 'incident'), alertIds: type === 'alert' ? textIn(detail, 'id') : [] });
    this.byGroup.set(group, kept.slice(-PER_GROUP));
  }
}

function textIn(detail: Json, key: string): readonly string[] {
  const value =
    typeof detail === 'object' && detail !== null ? Object.entries(detail).find(([k]) => k === key)?.[1] : null;
  return typeof value === 'string' ? [value] : [];
}
