import { Inject, Injectable } from '@nestjs/common';
import type { ClusterName } from '#health';
import { CLOCK, type Clock } from '#platform';
import { consumerKey, ObservationBook } from './observation-book.js';
import { OBSERVATION_OPTIONS, type ObservationOptions, type ObservedGroup } from './observation.options.js';
import type { ConsumerLag, ConsumerLags } from './observation.port.js';
import { wholeMs } from './snapshot-builder.js';

/** Every consumer group of a watched group on each of its clusters: the bound of what is kept. */
export const consumersOf = (
  watch: ObservedGroup['watch'],
): readonly Readonly<{ group: string; cluster: ClusterName; consumerGroup: string }>[] =>
  watch.clusters.flatMap((cluster) =>
    watch.consumerGroups.map((consumerGroup) => ({ group: watch.name, cluster, consumerGroup })),
  );

/** {@link ConsumerLags} out of the agents' newest reports. */
@Injectable()
export class ConsumerLagBook implements ConsumerLags {
  constructor(
    @Inject(OBSERVATION_OPTIONS) private readonly options: ObservationOptions,
    @Inject(ObservationBook) private readonly book: ObservationBook,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  of(group: string): readonly ConsumerLag[] {
    const watch = this.options.groups.find((g) => g.watch.name === group)?.watch;
    const now = wholeMs(this.clock);
    return (watch === undefined ? [] : consumersOf(watch)).flatMap((consumer) => {
      const known = this.options.observers.flatMap(({ agent }) => {
        const said = this.book.agent(agent)?.consumerGroups.get(consumerKey(consumer));
        return said === undefined ? [] : [aged(said.value, now - said.atMs)];
      });
      return known.toSorted((x, y) => x.observedAgeMs - y.observedAgeMs).slice(0, 1);
    });
  }
}

const aged = ({ cluster, consumerGroup, lagRecords, members, ...ages }: ConsumerLag, sinceMs: number): ConsumerLag => ({
  cluster,
  consumerGroup,
  lagRecords,
  observedAgeMs: ages.observedAgeMs + sinceMs,
  committedAgeMs: ages.committedAgeMs === null ? null : ages.committedAgeMs + sinceMs,
  ...(members === undefined ? {} : { members }),
});
