// What the README shows works as it stands there: its program compiles, its curl lines do what they say, in their order. The
// programs of the manual of raft compile, too, and the files that it names come with the package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ProcessCluster } from '../processes/cluster.ts';
import { root } from '../tidy/sources.ts';

const blocks = (page: string, language: string) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  );

mkdirSync(join(root, 'test/dist'), { recursive: true });
const folder = mkdtempSync(join(root, 'test/dist/readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

function typeFaults(program: string): string {
  writeFileSync(join(folder, 'program.ts'), program);
  const compilerOptions = {
    composite: false,
    noEmit: true,
    noUnusedLocals: false,
    rootDir: root,
    lib: ['es2023', 'esnext.disposable', 'dom'],
  };
  const extending = { extends: '../../../tsconfig.json', compilerOptions, files: ['program.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(extending));
  return spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' }).stdout;
}

test('the program compiles; with a wrong name in it, it does not', () => {
  const [shown = ''] = blocks('README.md', 'ts');
  const given =
    'declare const sendMail: (payload: { to: string }, options: { idempotencyKey: number }) => Promise<void>;\n';
  const program = given + shown;
  expect(shown).toContain('Holdfast.open');
  expect(typeFaults(program)).toBe('');
  expect(typeFaults(program.replace('.schedule(', '.scheduel('))).toContain('scheduel');
});

test('what the manual of raft shows is a program, from its first snippet to its last', () => {
  const shown = blocks('packages/raft/README.md', 'ts');
  const program = shown.join('');
  for (const named of ['createRaftNode', 'changeMembership', 'logStoreChecks']) expect(program).toContain(named);
  expect(typeFaults(program)).toBe('');
  expect(typeFaults(program.replace("kind: 'promote'", "kind: 'promoet'"))).toContain('promoet');
});

test('every file of the package that the manual of raft names is packed with it, and no test', () => {
  const manual = readFileSync(join(root, 'packages/raft/README.md'), 'utf8');
  const named = new Set([...manual.matchAll(/\b(?:src|examples)\/[\w/.-]+\.ts\b/g)].map(([path]) => path));
  expect(named).toContain('src/driver/loop.ts');
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = spawnSync('npm', pack, { cwd: join(root, 'packages/raft'), encoding: 'utf8' });
  const packed = [...stdout.matchAll(/"path": "([^"]+)"/g)].map(([, path = '']) => path);
  expect([...named].filter((path) => !packed.includes(path))).toEqual([]);
  expect(packed.filter((path) => path.endsWith('.test.ts'))).toEqual([]);
});

interface Call {
  readonly url: string;
  readonly body: string;
}

/** `curl -sS URL -H '...' -d '...'`, the only form that the README uses. */
const callsOf = (script: string): readonly Call[] =>
  [...script.matchAll(/^curl -sS (\S+) -H 'content-type: application\/json' \\\n\s+-d '([^']+)'$/gm)].map(
    ([, url = '', body = '']) => ({ url, body }),
  );

test('the curl lines: scheduled at one node, received from another, acknowledged at the third', async () => {
  const calls = callsOf(blocks('README.md', 'sh')[0] ?? '');
  expect(calls).toHaveLength(3);
  await using cluster = await ProcessCluster.create({ nodes: 3 });
  cluster.startAll();
  await cluster.leader();
  let receipt = '';
  const answers = [];
  for (const { url, body } of calls) {
    const real = url.replace(/http:\/\/127\.0\.0\.1:740(\d)/, (_, node: string) => cluster.api(`n${node}`));
    const sent = body.replace('"5s"', '"50ms"').replace('<receipt of the message above>', receipt);
    const response = await fetch(real, { method: 'POST', headers: { 'content-type': 'application/json' }, body: sent });
    expect(response.status, await response.clone().text()).toBe(200);
    const answer = (await response.json()) as { messages?: readonly { receipt?: string }[] };
    receipt = answer.messages?.[0]?.receipt ?? '';
    answers.push(answer);
  }
  expect(answers[1]).toMatchObject({ messages: [{ body: { to: 'ada' }, attempt: 1 }] });
  expect(answers[2]).toMatchObject({ results: [{ result: 'ok' }] });
});
