// npm run bench -- schedule | lateness | burst | memory | failover | catchup [options]
// W1, W2, ... in what is printed are names of workloads; the file of each command says in its first lines what it does.
import { cpus, totalmem } from 'node:os';
import { commandLine, oneOf, refuse, wholeNumber } from '../command-line.ts';
import { burst } from './burst.ts';
import { catchup } from './catchup.ts';
import { failover } from './failover.ts';
import { hows } from './failover-faults.ts';
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

const { values, positionals } = commandLine({
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
if (command === undefined || positionals.length > 1)
  refuse(
    `usage: npm run bench -- ${Object.keys(commands).join(' | ')} [--runs N] [--seconds N] [--waiting N] [--messages N] [--kills N] [--how ${hows.join(' | ')}]`,
  );
const options: BenchOptions = {
  runs: wholeNumber('runs', values.runs, 1),
  seconds: wholeNumber('seconds', values.seconds, 1),
  waiting: wholeNumber('waiting', values.waiting, 1),
  messages: wholeNumber('messages', values.messages, 1),
  kills: wholeNumber('kills', values.kills, 1),
  how: oneOf('how', values.how, hows),
};
console.log(
  `# ${positionals[0]}: three node processes and this load on one machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
);
console.log('# an acknowledgement means: on disk (fsync) at a majority of three');
await command(options);
