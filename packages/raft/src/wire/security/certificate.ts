// What is asked of a certificate of the other end, beyond an authority that both believe.
import type { X509Certificate } from 'node:crypto';
import type { NodeId } from '../../core/message.ts';

/** Nothing older: no renegotiation, no weak cipher to be talked into, and certificates travel encrypted. */
export const onlyTls13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

/**
 * A dNSName of its alternative names is the member's id, letter by letter; or, without such names, its common name is.
 * An authority may certify more than members, and wildcards are for those.
 */
export function namesMember(certificate: X509Certificate, id: NodeId): boolean {
  return certificate.checkHost(id, { subject: 'default', wildcards: false }) === id;
}

/** Of the error with which a connection to the wrong member ends. */
export const wrongNameCode = 'HF_WRONG_NAME';

export type TlsFault = 'noCertificate' | 'untrusted' | 'expired' | 'wrongName' | 'refusedByPeer' | 'handshake';

const faultsByCode: Readonly<Record<string, TlsFault>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'noCertificate',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_SIGNATURE_FAILURE: 'untrusted',
  CERT_UNTRUSTED: 'untrusted',
  INVALID_CA: 'untrusted',
  INVALID_PURPOSE: 'untrusted',
  [wrongNameCode]: 'wrongName',
};

/** What was wrong with the other end, or its word that we are; undefined for what can befall every connection. */
export function tlsFaultOf(code: string): TlsFault | undefined {
  const known = faultsByCode[code];
  if (known !== undefined) return known;
  if (!code.startsWith('ERR_SSL_')) return undefined;
  return code.includes('ALERT') ? 'refusedByPeer' : 'handshake';
}
