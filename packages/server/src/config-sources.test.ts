// What a person can write wrong, and the sentence that is the answer.
import { expect, test } from 'vitest';
import { nodeConfig } from './config.ts';
import { allSettings, parseConfig, printConfig, readConfig } from './config-sources.ts';
import { StartError } from './start-error.ts';

const three =
  'n1=127.0.0.1:7501/127.0.0.1:7401,n2=127.0.0.1:7502/127.0.0.1:7402,n3=127.0.0.1:7503/http://127.0.0.1:7403';

function refusalOf(args: readonly string[], environment: Record<string, string> = {}): string {
  try {
    readConfig(args, environment);
  } catch (error) {
    if (error instanceof StartError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error(`${args.join(' ')} was taken`);
}

test('what Kubernetes says of services whose names begin with holdfast is no setting; a port that somebody means is refused', () => {
  const links = {
    HOLDFAST_SERVICE_HOST: '10.0.0.1',
    HOLDFAST_SERVICE_PORT: '7401',
    HOLDFAST_SERVICE_PORT_API: '7401',
    HOLDFAST_PORT: 'tcp://10.0.0.1:7401',
    HOLDFAST_PORT_7401_TCP: 'tcp://10.0.0.1:7401',
    HOLDFAST_PORT_7401_TCP_PROTO: 'tcp',
    HOLDFAST_PORT_7401_TCP_PORT: '7401',
    HOLDFAST_PORT_7401_TCP_ADDR: '10.0.0.1',
    HOLDFAST_API_SERVICE_HOST: '10.0.0.2',
    HOLDFAST_API_SERVICE_PORT: '7401',
    HOLDFAST_API_PORT: 'tcp://10.0.0.2:7401',
    HOLDFAST_API_PORT_7401_TCP_ADDR: '10.0.0.2',
  };
  expect(readConfig([], links)).toEqual(readConfig([], {}));
  expect(() => readConfig([], { HOLDFAST_PORT: '8000' })).toThrow('There is no setting "HOLDFAST_PORT".');
  expect(() => readConfig([], { HOLDFAST_API_PORT: '8000' })).toThrow('There is no setting "HOLDFAST_API_PORT".');
});

test('nothing said is a node on its own, on loopback', () => {
  const config = readConfig([], {});
  expect(config).toMatchObject({ id: 'n1', listen: { host: '127.0.0.1', port: 7401 }, timing: { electionMinMs: 300 } });
  expect(config.peers).toEqual([{ id: 'n1', peer: '127.0.0.1:7501', api: 'http://127.0.0.1:7401' }]);
});

test('flags come before the environment, and both forms of a flag are read', () => {
  const config = readConfig(['--id', 'n2', '--peers', three, '--heartbeat-ms=40', '--pretty'], {
    HOLDFAST_ID: 'n3',
    HOLDFAST_LISTEN: '127.0.0.1:7402',
    HOLDFAST_HEARTBEAT_MS: '60',
    PATH: '/bin',
  });
  expect(config).toMatchObject({
    id: 'n2',
    pretty: true,
    listen: { port: 7402 },
    timing: { heartbeatMs: 40, tickMs: 10 },
  });
  expect(config.peers.map(({ api }) => api)).toEqual([
    'http://127.0.0.1:7401',
    'http://127.0.0.1:7402',
    'http://127.0.0.1:7403',
  ]);
});

test.each([
  [['--hartbeat-ms', '50'], {}, 'There is no setting "--hartbeat-ms". Did you mean --heartbeat-ms?'],
  [[], { HOLDFAST_DATADIR: '/x' }, 'There is no setting "HOLDFAST_DATADIR". Did you mean HOLDFAST_DATA_DIR?'],
  [['n1'], {}, 'There is no setting "n1".'],
  [['--id'], {}, '--id needs a value.'],
  [['--data-dir', '--pretty'], {}, '--data-dir needs a value.'],
  [['--id', '../etc'], {}, '--id must be a name'],
  [
    ['--election-min-ms', '100'],
    {},
    '--election-min-ms is 100, but must be at least 4 x heartbeatMs (200): one late heartbeat would start an election. (From the flag --election-min-ms.)',
  ],
  [[], { HOLDFAST_ELECTION_MIN_MS: '500' }, '--election-max-ms is 600, but must be at least 1.5 x electionMinMs (750)'],
  [['--tick-ms', '1.5'], {}, '--tick-ms must be whole milliseconds'],
  [['--tick-ms', 'NaN'], {}, '--tick-ms must be whole milliseconds'],
  [['--tick-ms', '1e99'], {}, '--tick-ms must be whole milliseconds'],
  [['--tick-ms', '40'], {}, '--heartbeat-ms is 50, but must be at least 2 x tickMs (80)'],
  [['--fast-election-ms', '301'], {}, '--fast-election-ms is 301'],
  [['--grace-ms', '500'], {}, '--grace-ms is 500, but must be at least electionMaxMs (600)'],
  [['--pretty=perhaps'], {}, '--pretty must be true or false.'],
  [['--log-level', 'loud'], {}, '--log-level must be one of error, warn, info, silent.'],
  [['--listen', '7401'], {}, '--listen is "7401", but must be host:port'],
  [['--listen', '127.0.0.1:70000'], {}, '--listen is "127.0.0.1:70000"'],
  [['--listen', '0.0.0.0:7401'], {}, '--listen is 0.0.0.0:7401, which other machines can reach'],
  [['--listen', '[::]:7401'], {}, '--listen is [::]:7401, which other machines can reach'],
  [
    ['--peers', three, '--peer-listen', '10.0.0.1:7501'],
    {},
    '--peer-listen is 10.0.0.1:7501, which other machines can reach',
  ],
  [
    ['--peers', 'n1@127.0.0.1'],
    {},
    '--peers holds "n1@127.0.0.1", but each member must be id=host:peerPort/host:apiPort',
  ],
  [
    ['--peers', `${three},n 4=127.0.0.1:1/127.0.0.1:2`],
    {},
    '--peers names "n 4", which must be a name of at most 64 letters, digits, ".", "_" and "-".',
  ],
  [['--peers', 'n1=127.0.0.1:x/127.0.0.1:1'], {}, '--peers gives n1 the address "127.0.0.1:x", which is no host:port.'],
  [['--id', 'n4', '--peers', three], {}, '--peers names n1, n2, n3, but not this node (n4).'],
  [['--peers', `${three},n1=127.0.0.1:1/127.0.0.1:2`], {}, '--peers gives two members the id "n1".'],
  [
    ['--peers', `${three},n4=127.0.0.1:7501/127.0.0.1:2`],
    {},
    '--peers gives two members the peer address "127.0.0.1:7501".',
  ],
  [['--peers', three, '--listen', '127.0.0.1:0'], {}, '--listen and --peer-listen need ports that those know, not 0.'],
  [
    ['--peer-secret-file', 'a'],
    { HOLDFAST_PEER_SECRET: 'b' },
    '--peer-secret is given beside --peer-secret-file: say one of them, not both. (From the environment, HOLDFAST_PEER_SECRET.)',
  ],
  [
    ['--peer-secret-file', 'a', '--peer-tls-ca', 'ca.pem'],
    {},
    '--peer-secret-file is given beside certificates: members know each other by a secret or by TLS, not by both.',
  ],
  [
    ['--peer-tls-key', 'key.pem', '--peer-tls-ca', 'ca.pem'],
    {},
    '--peer-tls-cert is not given, and mutual TLS needs all of --peer-tls-key, --peer-tls-cert and --peer-tls-ca.',
  ],
])('%j with %j is refused by a sentence', (args, environment, says) => {
  const refusal = refusalOf(args, environment);
  expect(refusal).toMatch(/^HF_CONFIG /);
  expect(refusal).toContain(says);
  expect(refusal).toContain('docs/configuration.md');
});

test('every fault is named, not only the first', () => {
  const refusal = refusalOf(['--colour', 'red', '--tick-ms', 'x', '--listen', 'y']);
  for (const name of ['--colour', '--tick-ms', '--listen']) expect(refusal).toContain(name);
});

test('an open address is taken when the person says that it is meant', () => {
  expect(readConfig(['--listen', '0.0.0.0:7401', '--allow-insecure'], {}).listen.host).toBe('0.0.0.0');
  // Not open yet on a node on its own, and opened when it gets a second member.
  expect(() => readConfig(['--peer-listen', '0.0.0.0:7501'], {})).toThrow(/--peer-listen/);
});

test.each([
  ['a secret', { HOLDFAST_PEER_SECRET: 'x' }],
  ['certificates', { HOLDFAST_PEER_TLS_KEY: 'k', HOLDFAST_PEER_TLS_CERT: 'c', HOLDFAST_PEER_TLS_CA: 'a' }],
])('with %s the peer port may be open to other machines, and the API may not', (_, environment) => {
  const open = ['--peers', three, '--peer-listen', '0.0.0.0:7501'];
  expect(readConfig(open, environment).peerListen.host).toBe('0.0.0.0');
  expect(refusalOf([...open, '--listen', '0.0.0.0:7401'], environment)).toContain('--listen is 0.0.0.0:7401');
});

test('a secret is not printed', () => {
  const printed = printConfig(readConfig([], { HOLDFAST_PEER_SECRET: 'the secret of the members' }));
  expect(printed).toContain('--peer-secret=(not printed)\n');
  expect(printed).not.toContain('the secret of the members');
});

test('a program writes an object, and an unknown key is refused', () => {
  expect(parseConfig({ id: 'a', timing: { heartbeatMs: 60 } }).timing.heartbeatMs).toBe(60);
  expect(() => parseConfig(JSON.parse('{"timing":{"hartbeat":1}}'))).toThrow(/hartbeat/);
});

test('a node that joins founds nothing, so it need not name itself among the members', () => {
  const others = ['--id', 'n9', '--peers', three];
  expect(() => readConfig(others, {})).toThrow(/not this node/);
  const { peers } = readConfig([...others, '--join'], {});
  expect(peers.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3', 'n9']);
});

test('what is printed can be read again, and every setting is in it with a reason', () => {
  const config = readConfig(['--id', 'n2', '--peers', three, '--listen', '127.0.0.1:7402'], {});
  expect(readConfig(printConfig(config).trim().split('\n'), {})).toEqual(config);
  expect(allSettings.length).toBe(Object.keys(nodeConfig.parse({})).length - 1 + 5);
  for (const { flag, says } of allSettings) expect(says.length, flag).toBeGreaterThan(20);
});
