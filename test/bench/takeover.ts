// npm run takeover -- --runs 10: the node that delivers is killed and stays dead; prints the worst of each run.
import { commandLine, wholeNumber } from '../command-line.ts';
import { ms } from '../measure/percentiles.ts';
import { takeover } from './takeover-run.ts';

const { values } = commandLine({ options: { runs: { type: 'string', default: '10' } } });
const runs = wholeNumber('runs', values.runs, 1);
let failed = false;
for (let run = 1; run <= runs; run += 1) {
  const seen = await takeover({ messages: 2_000, perSecond: 100, aheadMs: 4_000 });
  console.log(
    `run ${run}: killed ${seen.killed}, took over ${seen.tookOver}; delivered ${seen.delivered} of 2000, lost ${seen.lost}, early ${seen.early}, repeated ${seen.repeated}; latest ${ms(seen.latestMs)} ms, longest silence ${ms(seen.silenceMs)} ms`,
  );
  failed ||= seen.lost + seen.early + seen.repeated > 0 || seen.latestMs > 1_500;
}
if (failed) process.exitCode = 1;
