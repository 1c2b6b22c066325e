// npm run test:compose: docker-compose.yml on a real container engine. Build, up, all healthy; schedule through one node;
// kill the leader's container; delivered from another, in time; the killed one comes back with its volume; down.
// Needs docker and docker-compose (or `docker compose`); DOCKER_HOST is respected. Ports 7401 to 7403 on this machine.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url));
const nodes = [1, 2, 3].map((number) => ({ service: `n${number}`, api: `http://127.0.0.1:${7400 + number}` }));
const project = 'holdfast-compose-test';

function run(
  command: string,
  args: readonly string[],
  options: { quiet?: boolean } = {},
): { ok: boolean; output: string } {
  const done = spawnSync(command, args, {
    cwd: top,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', options.quiet === true ? 'pipe' : 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: done.status === 0, output: done.stdout ?? '' };
}

if (!run('docker', ['version', '--format', '{{.Server.Version}}'], { quiet: true }).ok) {
  console.error(
    'no container engine answers (docker version failed): start one, or set DOCKER_HOST. Nothing was tested.',
  );
  process.exit(3);
}
const composeCommand = run('docker', ['compose', 'version'], { quiet: true }).ok
  ? ['docker', 'compose']
  : ['docker-compose'];
function compose(...args: readonly string[]): string {
  const [command = '', ...first] = composeCommand;
  const { ok, output } = run(command, [...first, '-p', project, ...args]);
  if (!ok) throw new Error(`${composeCommand.join(' ')} ${args.join(' ')} failed`);
  return output;
}

async function call(
  api: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const response = await fetch(api + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(3_000),
    });
    return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function until<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const began = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== undefined) {
      console.log(`ok  ${what} (${Math.round(performance.now() - began)} ms)`);
      return seen;
    }
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const containerOf = (service: string) => compose('ps', '-q', service).trim();
const health = (container: string) =>
  run('docker', ['inspect', '--format', '{{.State.Health.Status}}', container]).output.trim();
const others = (service: string) => nodes.filter((node) => node.service !== service);

try {
  if (process.env['HOLDFAST_IMAGE_BUILT'] === undefined) compose('build');
  compose('up', '-d');
  await until('all three containers are healthy', 60_000, async () =>
    nodes.every(({ service }) => health(containerOf(service)) === 'healthy') ? true : undefined,
  );
  const leader = await until('a leader serves', 20_000, async () => {
    for (const node of nodes) if ((await call(node.api, 'GET', '/v1/cluster'))?.['serving'] === true) return node;
    return undefined;
  });
  const [one, other] = others(leader.service);
  if (one === undefined || other === undefined) throw new Error('three nodes');
  const due = Date.now() + 6_000;
  const kept = await call(one.api, 'POST', '/v1/topics/reminders/messages', {
    at: due,
    body: { hello: 'from compose' },
  });
  if (kept === undefined) throw new Error('the schedule was not acknowledged');
  console.log(`ok  scheduled through ${one.service}, due in ${due - Date.now()} ms`);
  run('docker', ['kill', containerOf(leader.service)]);
  console.log(`ok  docker kill of the leader's container (${leader.service})`);
  const message = await until('delivered by another node', 20_000, async () => {
    const answer = await call(other.api, 'POST', '/v1/topics/reminders/groups/mailer/receive', {
      wait: 1_000,
      create: { start: 'earliest' },
    });
    return (answer?.['messages'] as readonly { receipt: string; body: { hello: string } }[] | undefined)?.[0];
  });
  const latenessMs = Date.now() - due;
  if (latenessMs < 0 || latenessMs > 2_500 || message.body.hello !== 'from compose')
    throw new Error(`delivered ${latenessMs} ms late: ${JSON.stringify(message)}`);
  console.log(`ok  ${latenessMs} ms late`);
  await until(
    'acknowledged',
    5_000,
    async () =>
      await call(other.api, 'POST', '/v1/topics/reminders/groups/mailer/ack', { receipts: [message.receipt] }),
  );
  compose('start', leader.service);
  const goal = await until(
    'the commit index is known',
    5_000,
    async () => (await call(other.api, 'GET', '/v1/cluster'))?.['commit'] as number | undefined,
  );
  await until('the killed node is back with its volume, and has caught up', 60_000, async () =>
    Number((await call(leader.api, 'GET', '/v1/cluster'))?.['applied']) >= goal ? true : undefined,
  );
  await until('it is healthy again', 60_000, async () =>
    health(containerOf(leader.service)) === 'healthy' ? true : undefined,
  );
  console.log('1 passed, 0 failed');
} catch (error) {
  console.error(error);
  console.error(compose('logs', '--tail', '30'));
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
} finally {
  compose('down', '-v');
}
