/**
 * Channel options of both ends, as grpc-js takes them. Keepalive must be set on *both* sides: a link that silently
 * swallows packets is then noticed in keepaliveTime + keepaliveTimeout = 1.5 s. Without it TCP takes minutes, and a
 * frozen leader's last command would wait in the kernel for as long.
 */
export const KEEPALIVE_TIME_MS = 1_000;
export const KEEPALIVE_TIMEOUT_MS = 500;

/** A whole report of 10,000 partitions is about 0.5 MB; a goal set of 5,000 topics about 0.2 MB. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

const SHARED = {
  // Nothing serves channelz here: its records of every call and connection would be kept for nobody.
  'grpc.enable_channelz': 0,
  'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
} as const;

export const SERVER_CHANNEL_OPTIONS = {
  ...SHARED,
  // One stream per agent plus health checks: a peer cannot exhaust the process by opening streams.
  'grpc.max_concurrent_streams': 16,
} as const satisfies Record<string, number>;

export const CLIENT_CHANNEL_OPTIONS = {
  ...SHARED,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Each controller has its own channel, sockets included: one stuck connection must not hold up another session.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
} as const satisfies Record<string, number>;
