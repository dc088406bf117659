export const AGENTS = {
  controller: 'ctl-a',
  agents: [
    {
      agent: 'agent-a',
      idc: 'a',
      bootId: '6f1c',
      protocolVersion: 1,
      connected: true,
      lastReportAgeMs: 400,
      clusters: ['a', 'b'],
      goodbye: false,
    },
  ],
} as const;

export const CONTROLLERS = {
  answeredBy: { id: 'ctl-a', version: '0.1.0', leading: true },
  leader: { id: 'ctl-a', advertise: 'https://ctl-a.example:8080', term: 3 },
  time: '2026-11-20T14:02:19.200Z',
  controllers: [
    {
      id: 'ctl-a',
      idc: 'a',
      advertise: 'https://ctl-a.example:8080',
      policyDigest: '9b74c9897bac770ffc029102a200c5de',
      beats: 12,
      version: '0.1.0',
      leader: true,
    },
  ],
} as const;

export const TOKEN = {
  id: '01936e0a-0000-7000-8000-000000000002',
  name: 'dashboard',
  role: 'viewer',
  createdAt: '2026-11-20T08:00:00.000Z',
  createdBy: 'file-token',
  expiresAt: '2027-02-18T08:00:00.000Z',
  revokedAt: null,
} as const;
