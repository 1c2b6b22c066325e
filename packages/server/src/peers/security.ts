// How the members know each other, as settings: nothing, a secret, or certificates. Exactly one of them.
import { readFileSync } from 'node:fs';
import type { PeerSecurity } from '@holdfast/raft';
import { z } from 'zod';
import { StartError } from '../start-error.ts';

const path = z.string().default('');

export const peerSecuritySettings = {
  peerSecret: path.describe(
    'What every member knows and nobody else: at least 32 bytes, drawn at random. Whoever can list the processes of this machine reads flags: say it in the environment, or in a file.',
  ),
  peerSecretFile: path.describe(
    'A file that holds the secret in its first line. Further lines are secrets that are accepted as well, while it is being changed. See docs/security.md.',
  ),
  peerTlsKey: path.describe('For mutual TLS between the members: a file with the private key of this one (PEM).'),
  peerTlsCert: path.describe(
    'A file with the certificate of this member (PEM), which names its --id, and those between it and the authority.',
  ),
  peerTlsCa: path.describe(
    'A file with the authorities (PEM) whose certificates are believed: whom they have certified is a member.',
  ),
};

type SettingName = keyof typeof peerSecuritySettings;
type Given = Readonly<Record<SettingName, string>>;

const tlsFiles = ['peerTlsKey', 'peerTlsCert', 'peerTlsCa'] as const;

/** Other machines may reach the peer port: a stranger is turned away there. */
export function isPeerPortSecured(given: Given): boolean {
  return Object.keys(peerSecuritySettings).some((name) => isSettingName(name) && given[name] !== '');
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(peerSecuritySettings, name);
}

/** What does not fit together. */
export function misfitPeerSecurity(given: Given): readonly { readonly path: SettingName; readonly message: string }[] {
  const files = tlsFiles.filter((name) => given[name] !== '');
  const missing = tlsFiles.filter((name) => given[name] === '');
  const secrets = (['peerSecret', 'peerSecretFile'] as const).filter((name) => given[name] !== '');
  const [secret] = secrets;
  if (secrets.length > 1) {
    return [{ path: 'peerSecret', message: 'is given beside --peer-secret-file: say one of them, not both.' }];
  }
  if (secret !== undefined && files.length > 0) {
    const message = 'is given beside certificates: members know each other by a secret or by TLS, not by both.';
    return [{ path: secret, message }];
  }
  if (files.length === 0) return [];
  const message = 'is not given, and mutual TLS needs all of --peer-tls-key, --peer-tls-cert and --peer-tls-ca.';
  return missing.map((name) => ({ path: name, message }));
}

/** @throws StartError HF_CONFIG: a file can not be read */
export function peerSecurity(given: Given): PeerSecurity {
  if (given.peerSecret !== '') return { kind: 'secret', secret: given.peerSecret };
  if (given.peerSecretFile !== '') {
    const lines = read('peerSecretFile', given.peerSecretFile).split('\n');
    const [secret = '', ...alsoAccepted] = lines.map((line) => line.trim()).filter((line) => line !== '');
    return { kind: 'secret', secret, alsoAccepted };
  }
  if (given.peerTlsKey === '') return { kind: 'none' };
  return {
    kind: 'tls',
    key: read('peerTlsKey', given.peerTlsKey),
    cert: read('peerTlsCert', given.peerTlsCert),
    ca: read('peerTlsCa', given.peerTlsCa),
  };
}

function read(setting: SettingName, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : String(cause);
    throw new StartError('HF_CONFIG', `${setting} names a file that can not be read: ${because}.`, { cause });
  }
}
