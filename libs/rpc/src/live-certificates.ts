import { type ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';

type Material = Readonly<{ cert: Buffer; key: Buffer; ca: Buffer | null }>;

/** Certificates that may change; both ends of a session use what is current at its handshake. */
export type CertificateSource = Readonly<{
  current(): Material;
  onChange(listener: (material: Material) => void): () => void;
}>;

/** Mutual TLS for the server: an agent without a certificate of the authority is not let in. */
export const liveServerCredentials = (source: CertificateSource): ServerCredentials => {
  const provider = new LiveCertificates(source);
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
};

/** The same for an agent's channel. */
export const liveChannelCredentials = (source: CertificateSource): ChannelCredentials => {
  const provider = new LiveCertificates(source);
  return experimental.createCertificateProviderChannelCredentials(provider, provider);
};

/**
 * grpc-js asks for certificates by listening, and is ready for the first answer only when its own call is over. Its own
 * file provider would also hand on half-written files.
 */
class LiveCertificates implements experimental.CertificateProvider {
  private readonly authorities = new Set<experimental.CaCertificateUpdateListener>();
  private readonly identities = new Set<experimental.IdentityCertificateUpdateListener>();

  constructor(private readonly source: CertificateSource) {
    source.onChange((material) => {
      for (const tell of this.authorities) tell(authorityOf(material));
      for (const tell of this.identities) tell(identityOf(material));
    });
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.authorities.add(listener);
    process.nextTick(() => listener(authorityOf(this.source.current())));
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.authorities.delete(listener);
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.identities.add(listener);
    process.nextTick(() => listener(identityOf(this.source.current())));
  }

  removeIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.identities.delete(listener);
  }
}

const authorityOf = ({ ca }: Material): experimental.CaCertificateUpdate | null =>
  ca === null ? null : { caCertificate: ca };

const identityOf = ({ cert, key }: Material): experimental.IdentityCertificateUpdate => ({
  certificate: cert,
  privateKey: key,
});
