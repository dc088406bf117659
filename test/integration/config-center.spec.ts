import { EtcdConfigCenter, SqlConfigCenter } from '#config-center';
import { startLab, waitFor } from '#lab';
import { configCenterConformance } from '../../libs/config-center/src/config-center.conformance.js';

configCenterConformance('sql on PostgreSQL', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: true });
  const url = await lab.postgresUrl('a');
  const starters = Array.from({ length: 3 }, () => new SqlConfigCenter({ url }));
  const schemaReady = (center: SqlConfigCenter) => center.ensureSchema().then(() => true as const);
  await Promise.all(
    starters.map((center) => waitFor('the route to PostgreSQL', () => schemaReady(center), { timeoutMs: 10_000 })),
  );
  await Promise.all(starters.map((center) => center.close()));
  return {
    open: async () => new SqlConfigCenter({ url, pollIntervalMs: 50 }),
    stop: () => lab.kill({ postgres: true }),
    start: () => lab.start({ postgres: true }),
    dispose: () => lab.close(),
  };
});

configCenterConformance('etcd', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: false, etcd: true });
  const endpoint = await lab.etcdUrl('b');
  return {
    // The first endpoint is dead for ever: the second must serve.
    open: async () => new EtcdConfigCenter({ endpoints: ['http://127.0.0.1:9', endpoint], pollIntervalMs: 100 }),
    stop: () => lab.kill({ etcd: true }),
    start: () => lab.start({ etcd: true }),
    dispose: () => lab.close(),
  };
});
