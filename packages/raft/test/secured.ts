// Each kind of security of the peer port, as tests use it.
import type { PeerSecurity } from '../src/wire/security/security.ts';
import { createAuthority } from './certificates.ts';

export const secret = 'only for tests, and long enough for one';
export const authority = createAuthority('an authority for tests');

export const tlsOf = (id: string, from = authority): Extract<PeerSecurity, { readonly kind: 'tls' }> => {
  const { key, cert } = from.issue({ name: `member ${id}`, dnsNames: [id] });
  return { kind: 'tls', key, cert, ca: authority.cert };
};

export const securities: Readonly<Record<PeerSecurity['kind'], (id: string) => PeerSecurity>> = {
  none: () => ({ kind: 'none' }),
  secret: () => ({ kind: 'secret', secret }),
  tls: (id) => tlsOf(id),
};
