/** Fence 2: no authorizer needed; the leader rejects every batch, whatever its acks. */
export const FENCE_KEY = 'max.message.bytes';
export const FENCE_VALUE = '1';
