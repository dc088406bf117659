/** Timings of an installation. All durations as the configuration spells them. */
export type Profile = Readonly<{
  name: string;
  probe: Readonly<{ period: string; timeout: string }>;
  lease: Readonly<{ ttl: string; renewDeadline: string; retry: string }>;
  windows: Readonly<{ attested: string; service: string; isolated: string; gray: string; partition: string }>;
}>;

/** For a demonstration on one machine: brokers with session 3 s and heartbeat 0.5 s. Not the default. */
export const DEMO_PROFILE: Profile = {
  name: 'demo',
  probe: { period: '1s', timeout: '1s' },
  lease: { ttl: '5s', renewDeadline: '3s', retry: '1s' },
  windows: { attested: '8s', service: '10s', isolated: '10s', gray: '10s', partition: '20s' },
};

/** For end-to-end tests: as fast as a broker session of 3 s allows. */
export const FAST_PROFILE: Profile = {
  name: 'fast',
  probe: { period: '500ms', timeout: '1s' },
  lease: { ttl: '3s', renewDeadline: '2s', retry: '500ms' },
  windows: { attested: '4s', service: '6s', isolated: '8s', gray: '8s', partition: '8s' },
};

/** What a configuration without timings gets; with Kafka's default broker session of 9 s. */
export const DEFAULT_PROFILE: Profile = {
  name: 'default',
  probe: { period: '2s', timeout: '2s' },
  lease: { ttl: '10s', renewDeadline: '6s', retry: '2s' },
  windows: { attested: '20s', service: '30s', isolated: '60s', gray: '60s', partition: '120s' },
};
