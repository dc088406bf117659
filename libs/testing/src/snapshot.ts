/** Builders of votes and snapshots; they live in the pure core because its own table check starts from them. */
export {
  sampleFields,
  sampleFlow,
  sampleGroup,
  sampleObservers,
  sampleSnapshot,
  sampleVote,
  sampleVotes,
  VOTE_SHAPES,
  type VoteShape,
} from '#failover';
