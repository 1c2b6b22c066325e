// What an owner says about security, checked before anything listens.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { NodeId } from '../../core/message.ts';
import { RaftError, reasonOf } from '../../raft-error.ts';
import { namesMember, onlyTls13 } from './certificate.ts';

/**
 * Who may speak on the peer port. `none` believes every name that is said. `secret` lets two members show each other that they
 * know the same secret, and vouches for every frame after that; what is sent can still be read by others. `tls` is mutual TLS
 * 1.3: nobody else can read or change anything, and a member is who its certificate names.
 *
 * `createTcpTransport` throws RaftError HF_PEER_SECURITY for what can not be used: a secret that is too short, too many of them,
 * a key or a certificate that can not be read, that do not belong together, that name another member, or that have run out.
 */
export type PeerSecurity =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'secret';
      /** The same at every member; at least `minSecretBytes` long, drawn at random. */
      readonly secret: string;
      /** Taken from those who connect, and not used to connect: what the others use while it is being changed. At most 3. */
      readonly alsoAccepted?: readonly string[];
    }
  | {
      readonly kind: 'tls';
      /** PEM: the key of this member, and its certificate with those between it and the authority. */
      readonly key: string;
      readonly cert: string;
      /** PEM: one or more authorities. Whoever they have certified is believed to be who the certificate names. */
      readonly ca: string;
    };

/** Shorter ones can be found by trying: who stands between two members can try as many as he likes, at home. */
export const minSecretBytes = 32;
const maxSecrets = 4;

/** The same, found to be usable. */
export type ReadySecurity =
  | { readonly kind: 'none' }
  | { readonly kind: 'secret'; readonly secret: string; readonly accepted: readonly string[] }
  | {
      readonly kind: 'tls';
      readonly pem: { readonly key: string; readonly cert: string; readonly ca: string };
      /** Read once: a member that is away is dialled many times a second. */
      readonly context: SecureContext;
    };

/**
 * @param nowMs since the epoch; a certificate that has run out by then would be refused by everybody
 * @throws RaftError HF_PEER_SECURITY
 */
export function readySecurity(security: PeerSecurity, id: NodeId, nowMs: number): ReadySecurity {
  if (security.kind === 'none') return security;
  if (security.kind === 'tls') return readyTls(security, id, nowMs);
  return readySecret(security.secret, security.alsoAccepted ?? []);
}

function readyTls({ key, cert, ca }: Extract<PeerSecurity, { kind: 'tls' }>, id: NodeId, nowMs: number): ReadySecurity {
  const fault = certificateFault(key, cert, id, nowMs);
  if (fault !== undefined) throw new RaftError('HF_PEER_SECURITY', fault, { id });
  // Node takes any text for authorities, and finds none in it.
  readable('The authority', () => new X509Certificate(ca));
  const context = readable('The certificate', () => createSecureContext({ key, cert, ca, ...onlyTls13 }));
  return { kind: 'tls', pem: { key, cert, ca }, context };
}

function readySecret(secret: string, alsoAccepted: readonly string[]): ReadySecurity {
  const accepted = [secret, ...alsoAccepted];
  if (accepted.length > maxSecrets) {
    throw new RaftError('HF_PEER_SECURITY', `There are ${accepted.length} secrets, but ${maxSecrets} are the most.`);
  }
  const short = accepted.find((one) => Buffer.byteLength(one) < minSecretBytes);
  if (short !== undefined) {
    const detail = `A secret has ${Buffer.byteLength(short)} bytes, but must have at least ${minSecretBytes}, drawn at random.`;
    throw new RaftError('HF_PEER_SECURITY', detail);
  }
  return { kind: 'secret', secret, accepted };
}

function certificateFault(key: string, cert: string, id: NodeId, nowMs: number): string | undefined {
  const certificate = readable('The certificate', () => new X509Certificate(cert));
  const privateKey = readable('The key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) return 'The key is not the one of the certificate.';
  if (!namesMember(certificate, id)) {
    const names = certificate.subjectAltName ?? certificate.subject.replaceAll('\n', ', ');
    return `The certificate names ${names}, and not this member, "${id}".`;
  }
  if (Date.parse(certificate.validTo) < nowMs) return `The certificate ran out on ${certificate.validTo}.`;
  return undefined;
}

function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new RaftError('HF_PEER_SECURITY', `${what} can not be read: ${reasonOf(cause)}.`, {}, { cause });
  }
}
