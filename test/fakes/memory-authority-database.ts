import { MemoryAuthorityServer } from './memory-authority-server.js';
import { MemoryAuthorityStore } from './memory-authority-store.js';

/** What a test makes: one store in memory, shared by any number of controllers, with the faults that the test orders. */
export class MemoryAuthorityDatabase extends MemoryAuthorityServer {
  /** One more controller's connection; `client` is its name in fault orders (the holder's id). */
  connect(client: string): MemoryAuthorityStore {
    return new MemoryAuthorityStore(this, client);
  }
}
