import { answers, type Seat } from '#health';

export type Fitness = Readonly<{ fit: boolean; reasons: readonly string[] }>;

type Ask = Readonly<{ says: string; holds: (s: Seat) => boolean }>;

/** What a witness of readiness must have seen itself. Missing brokers alone do not disqualify. */
const ASKED: readonly Ask[] = [
  { says: 'does not say that it answers', holds: (s) => answers(s.vote) && s.vote.fields !== null },
  {
    says: 'canary is not ok on every sampled broker',
    holds: ({ vote: { fields } }) =>
      fields !== null && fields.canarySampledBrokers > 0 && fields.canaryOkBrokers === fields.canarySampledBrokers,
  },
  { says: 'sees no quorum leader', holds: ({ vote: { fields } }) => fields !== null && fields.quorumLeader !== null },
  {
    says: 'sees hot-standby partitions offline or under min ISR',
    holds: ({ vote: { fields } }) =>
      fields !== null &&
      (fields.hotStandby === null || (fields.hotStandby.offline === 0 && fields.hotStandby.underMinIsr === 0)),
  },
];

/** The one reason that a person's order may set aside. */
export const REJOINING = 'rejoining: its rejoin is not finished';

/** The first thing that this seat cannot confirm, or null. */
const complaint = (s: Seat): string | null => {
  const failed = ASKED.find((ask) => !ask.holds(s));
  return failed === undefined ? null : `${s.vote.agent} (${s.idc}) ${failed.says}`;
};

/**
 * Is the target ready to serve? Its own agent and a witness outside S's IDC must both say so; the vote of S's agent
 * does not count (it may be the one that is cut off). A group without a witness asks T's own agent alone.
 */
export function fitnessOf(targetSeats: readonly Seat[], rejoining: boolean): Fitness {
  const reasons: string[] = [];
  if (rejoining) reasons.push(REJOINING);
  const own = targetSeats.find((s) => s.own);
  if (own === undefined) reasons.push('no observer in its own IDC');
  else {
    const said = complaint(own);
    if (said !== null) reasons.push(said);
  }
  const witnesses = targetSeats.filter((s) => s.witness);
  const complaints = witnesses.map(complaint);
  if (witnesses.length > 0 && complaints.every((c) => c !== null))
    reasons.push(...complaints.filter((c) => c !== null));
  return { fit: reasons.length === 0, reasons };
}
