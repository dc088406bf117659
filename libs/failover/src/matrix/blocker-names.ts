/** Names of reasons that forbid an otherwise due action; they stand for good. */
export type BlockerName =
  | 'LAG_OVER_BUDGET'
  | 'LAG_UNKNOWN'
  | 'TARGET_NOT_FIT'
  | 'NOT_PUBLISHABLE'
  | 'COOLDOWN'
  | 'FLAPPING'
  | 'WINDOW_TOO_SHORT'
  | 'NOT_ARMED'
  | 'FENCE_WOULD_COPY'
  | 'FLOW_NOT_DISJOINT'
  | 'FLOW_NOT_STEERABLE'
  | 'STORE_NOT_SURVIVABLE'
  | 'CONFIG_DRIFT'
  | 'PROPOSAL_CLOSED';
