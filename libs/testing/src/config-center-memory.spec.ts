import { adoptionConformance } from '../../config-center/src/adoption.conformance.js';
import { configCenterConformance } from '../../config-center/src/config-center.conformance.js';
import { MemoryConfigCenterServer } from './config-center-memory.js';

configCenterConformance('memory', async () => {
  const server = new MemoryConfigCenterServer();
  return {
    open: async () => server.open(),
    stop: async () => server.stop(),
    start: async () => server.start(),
    dispose: async () => undefined,
  };
});

adoptionConformance('memory', async () => {
  const server = new MemoryConfigCenterServer();
  return { open: async () => server.open(), dispose: async () => undefined };
});
