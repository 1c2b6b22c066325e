// node test/dist/user/count-deliveries.js --nodes <api>,<api> --expect 10000: receives and acknowledges until so many
// messages have come, watches for repeats a little longer, and says what came. Ends by itself, also when too few come.
import { setTimeout as pause } from 'node:timers/promises';
import { Holdfast } from 'holdfast';
import { commandLine, wholeNumber } from '../command-line.ts';
import { figures, ms } from '../measure/percentiles.ts';

const { values } = commandLine({
  options: {
    nodes: { type: 'string', default: '127.0.0.1:7401' },
    topic: { type: 'string', default: 'reminders' },
    group: { type: 'string', default: 'mailer' },
    expect: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '120' },
  },
});
const repeatsMs = 5_000;
const expected = wholeNumber('expect', values.expect, 1);
const endMs = Date.now() + wholeNumber('seconds', values.seconds, 1) * 1_000;

/** By id: how late it came first, ms, and how often it came. */
const came = new Map<string, { readonly lateMs: number; times: number }>();
await using store = Holdfast.connect({ nodes: values.nodes.split(',').map((node) => `http://${node}`) });
await using worker = store
  .topic(values.topic)
  .group(values.group)
  .worker(
    ({ id, deliverAt }) => {
      const seen = came.get(id) ?? { lateMs: Date.now() - deliverAt.getTime(), times: 0 };
      seen.times += 1;
      came.set(id, seen);
    },
    { concurrency: 512 },
  );
while (came.size < expected && Date.now() < endMs) await pause(50);
await pause(repeatsMs);
await worker.stop();

const late = [...came.values()].map(({ lateMs }) => lateMs);
const repeated = [...came.values()].reduce((sum, { times }) => sum + times - 1, 0);
const early = late.filter((lateMs) => lateMs < 0).length;
const { p50, p99, max } = figures(late);
console.log(
  `delivered ${came.size} of ${expected}, early ${early}, repeated ${repeated}; late p50 ${ms(p50)} p99 ${ms(p99)} worst ${ms(max)} ms`,
);
if (came.size !== expected || repeated + early > 0) process.exitCode = 1;
