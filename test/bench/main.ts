// npm run bench -- schedule | lateness | burst | memory | failover | catchup [options]
// W1, W2, ... in what is printed are names of workloads; the file of each command says in its first lines what it does.
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { burst } from './burst.ts';
import { catchup } from './catchup.ts';
import { failover } from './failover.ts';
import { lateness } from './lateness.ts';
import { memory } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { schedule } from './schedule.ts';

const commands: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  schedule,
  lateness,
  burst,
  memory,
  failover,
  catchup,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    waiting: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '30000' },
    kills: { type: 'string', default: '20' },
    how: { type: 'string', default: 'kill' },
  },
});

const command = commands[positionals[0] ?? ''];
if (command === undefined) {
  console.error(
    `usage: npm run bench -- ${Object.keys(commands).join(' | ')} [--runs N] [--seconds N] [--waiting N] [--messages N] [--kills N] [--how kill | stop | cut | transfer | all]`,
  );
  process.exit(2);
}
console.log(
  `# ${positionals[0]}: three node processes and this load on one machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
console.log('# an acknowledgement means: on disk (fsync) at a majority of three');
await command({
  runs: Number(values.runs),
  seconds: Number(values.seconds),
  waiting: Number(values.waiting),
  messages: Number(values.messages),
  kills: Number(values.kills),
  how: values.how,
});
