import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp } from './api-app.js';

/** The controllers of one test, which meet in one store in memory. */
export class ApiRig {
  readonly database = new MemoryAuthorityDatabase();
  private apps: readonly ApiApp[] = [];

  async start(id: string, more: Parameters<typeof ApiApp.start>[2] = {}): Promise<ApiApp> {
    const app = await ApiApp.start(id, this.database, more);
    this.apps = [...this.apps, app];
    return app;
  }

  async stop(app: ApiApp): Promise<void> {
    this.apps = this.apps.filter((a) => a !== app);
    await app.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.close()));
  }
}
