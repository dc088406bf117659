import { createServer, type Server } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import Provider from 'oidc-provider';

export const AUDIENCE = 'pointsman';
const RESOURCE = 'urn:pointsman';
const SECRET = 'a-client-secret-for-tests-of-32-bytes';

/** Clients of the issuer and the roles that it puts into their tokens. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  kim: ['kafka-oncall', 'staff'],
  lee: ['staff'],
  ada: ['kafka-admins', 'kafka-oncall'],
  bob: [],
};

type Key = Readonly<{ id: string; secret: CryptoKey; jwk: JWK }>;

async function newKey(id: string): Promise<Key> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { id, secret: privateKey, jwk: { ...(await exportJWK(privateKey)), kid: id, alg: 'ES256', use: 'sig' } };
}

/** A real issuer (oidc-provider) on loopback: discovery, JWKS, JWT access tokens by client credentials. */
export class OidcIssuer {
  private server: Server | null = null;
  private key: Key;

  private constructor(
    readonly port: number,
    key: Key,
  ) {
    this.key = key;
  }

  static async start(): Promise<OidcIssuer> {
    const probe = createServer();
    const port = await listen(probe, 0);
    await closed(probe);
    const issuer = new OidcIssuer(port, await newKey('first'));
    await issuer.open();
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Tokens are signed by another key from now on, and only that one is published. */
  async rotate(): Promise<void> {
    await this.close();
    this.key = await newKey('second');
    await this.open();
  }

  async open(): Promise<void> {
    const provider = new Provider(this.url, {
      clients: Object.keys(PEOPLE).map((client_id) => ({
        ...{ client_id, client_secret: SECRET, grant_types: ['client_credentials'] },
        ...{ redirect_uris: [], response_types: [], id_token_signed_response_alg: 'ES256' },
      })),
      jwks: { keys: [this.key.jwk] },
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            ...{ scope: '', audience: AUDIENCE, accessTokenFormat: 'jwt' },
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
      extraTokenClaims: (_context, token) => ({ roles: PEOPLE[token.clientId ?? ''] ?? [] }),
    });
    const answer = provider.callback();
    this.server = createServer((req, res) => void answer(req, res));
    await listen(this.server, this.port);
  }

  async close(): Promise<void> {
    if (this.server !== null) await closed(this.server);
    this.server = null;
  }

  /** As an application gets it. */
  async token(person: string): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${person}:${SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token for ${person}: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** Signed by the issuer's own key, with any content: what no issuer should make. */
  async forge(claims: Readonly<Record<string, unknown>>, kid = this.key.id): Promise<string> {
    const nowS = Math.floor(Date.now() / 1_000);
    const usual = { iss: this.url, aud: AUDIENCE, sub: 'ada', roles: ['kafka-admins'], iat: nowS, exp: nowS + 60 };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'ES256', kid }).sign(this.key.secret);
  }
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
