// Certificates for tests, made when they are needed: X.509 version 3 in DER, as RFC 5280 lays it out, signed by ECDSA on
// P-256. Only what a member's certificate needs.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Pem {
  readonly key: string;
  readonly cert: string;
}

export interface Authority extends Pem {
  /** A certificate of this authority. */
  issue(given: CertificateGiven): Pem;
}

export interface CertificateGiven {
  /** The common name of the subject. */
  readonly name: string;
  /** dNSNames of the subject's alternative name; no such extension when absent. */
  readonly dnsNames?: readonly string[];
  readonly notAfter?: Date;
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const isTrue = der(0x01, Buffer.from([0xff]));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));

/** GeneralizedTime; OpenSSL takes it for years before 2050 as well. */
const timeOf = (date: Date): Buffer =>
  der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));

function extensions(isAuthority: boolean, dnsNames: readonly string[] | undefined): Buffer {
  const found: Buffer[] = [];
  if (isAuthority) found.push(sequence(oid('551d13'), isTrue, der(0x04, sequence(isTrue))));
  if (dnsNames !== undefined) {
    const names = dnsNames.map((name) => der(0x82, Buffer.from(name)));
    found.push(sequence(oid('551d11'), der(0x04, sequence(...names))));
  }
  return found.length === 0 ? Buffer.alloc(0) : der(0xa3, sequence(...found));
}

interface Signer {
  readonly name: string;
  readonly key: KeyObject;
}

function certificate(given: CertificateGiven, publicKey: KeyObject, signer: Signer, isAuthority: boolean): string {
  const { name, dnsNames, notAfter = new Date(Date.now() + 86_400_000) } = given;
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(signer.name),
    sequence(timeOf(new Date(Date.UTC(2020, 0))), timeOf(notAfter)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions(isAuthority, dnsNames),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', content, signer.key)]);
  const whole = sequence(content, ecdsaWithSha256, der(0x03, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${whole.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

export function createAuthority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = { name, key: privateKey };
  return {
    key: pemOf(privateKey),
    cert: certificate({ name }, publicKey, signer, true),
    issue(given) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { key: pemOf(own.privateKey), cert: certificate(given, own.publicKey, signer, false) };
    },
  };
}
