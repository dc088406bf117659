import { deliveryQueueConformance } from './delivery-queue.conformance.js';
import { InProcessQueue } from './in-process-queue.js';

deliveryQueueConformance('in this process', async () => ({
  open: async (attempt, receivers) =>
    new InProcessQueue(receivers, attempt, { maxQueued: 100, dropped: () => undefined }),
  dispose: async () => undefined,
}));
