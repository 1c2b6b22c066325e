// What a node says while it runs: JSON lines. A sentence is constant so that it can be searched for, facts are fields with a
// unit in their name, and `event` names a row of the table below, from which docs/operating.md is printed.
import { type DestinationStream, destination, type LevelWithSilent, pino, stdSerializers } from 'pino';
import type { MemberLog } from './member.ts';

interface EventRow {
  readonly level: 'info' | 'warn' | 'error';
  readonly means: string;
  /** What an operator does. */
  readonly next: string;
}

export const logEvents = {
  'node.starting': {
    level: 'info',
    means: 'The process has read its settings and opens its directory.',
    next: 'Nothing.',
  },
  'node.listening': { level: 'info', means: 'The API answers at `api`.', next: 'Nothing.' },
  'node.insecure': {
    level: 'warn',
    means: 'Other machines can reach the node, and there is neither encryption nor a password.',
    next: 'Make sure that everybody in that network may do everything.',
  },
  'node.stopping': {
    level: 'info',
    means: 'The node was asked to stop; waiting calls are answered.',
    next: 'Nothing.',
  },
  'node.stopped': { level: 'info', means: 'Everything is written and closed.', next: 'Nothing.' },
  'node.stop.slow': {
    level: 'warn',
    means: 'A step of stopping took longer than it may, and was left behind. Nothing acknowledged is lost by it.',
    next: 'Look at the disk if `step` is the member or the database.',
  },
  'node.fatal': {
    level: 'error',
    means: 'The node can not go on, and its process ends. `code` says why.',
    next: 'Look the code up in docs/errors.md.',
  },
  'peers.fault': {
    level: 'warn',
    means:
      'A connection of the peer port was ended, for `reason`: by `from`, or to it. `counts` has all since the last line; there is one a minute at most.',
    next: 'docs/security.md lists the reasons. From an address that is no member: keep it away from the port.',
  },
  'raft.leader': {
    level: 'info',
    means: 'This node became leader: its state is current up to `lastIndex`, and it serves soon.',
    next: 'Nothing.',
  },
  'raft.leaderLost': {
    level: 'info',
    means: 'This node leads no more, or lost sight of the majority.',
    next: 'Nothing, unless it happens often: network, disk, CPU.',
  },
  'raft.follows': { level: 'info', means: 'This node learned of a leader.', next: 'Nothing.' },
  'raft.snapshot': {
    level: 'info',
    means: 'This node was away for longer than the log of the leader reaches back, and was sent the whole state.',
    next: 'Nothing. Again and again: the node is slower than the writes, or --log-retain-bytes is too small.',
  },
  'raft.promoted': {
    level: 'info',
    means: 'A node that was taken in has caught up, and has a vote now.',
    next: 'Nothing.',
  },
  'scheduler.suspended': {
    level: 'warn',
    means: 'This node leads, and hears no majority: it hands nothing out until it does.',
    next: 'Look at the other nodes and the network.',
  },
  'scheduler.resumed': { level: 'info', means: 'The majority answers again.', next: 'Nothing.' },
  'scheduler.stepsDown': {
    level: 'warn',
    means:
      'This node led for `idleMs` (two election timeouts at first, then twice as much each time) without delivering anything, and gave leadership up.',
    next: 'Once: nothing. Again and again: the disks of the majority are slow, or the processes stand still.',
  },
  'clock.skewed': {
    level: 'warn',
    means:
      "A node's clock is further from the median than --max-clock-skew-ms: one wrong clock of three moves nothing, a second one makes messages early or late.",
    next: 'Repair the time service of `node`.',
  },
  'clock.agrees': { level: 'info', means: 'The clock of `node` is within the limit again.', next: 'Nothing.' },
  'clock.handsOver': {
    level: 'warn',
    means:
      "This leader's own clock has been wrong by `skewMs` for 5 s: it hands over to `to`. At most once in 5 minutes.",
    next: 'Repair the time service of this machine.',
  },
  'clock.behind': {
    level: 'error',
    means: 'The clocks of a majority were set back by `behindMs`: nothing is delivered until they are where they were.',
    next: 'Repair the time service of all machines, or wait so long.',
  },
  'clock.caughtUp': { level: 'info', means: 'The clocks are where they were.', next: 'Nothing.' },
  'disk.low': {
    level: 'warn',
    means:
      'The disk of `node` has less room than --min-free-bytes. When that is the leader, or no majority has room, new messages are refused.',
    next: 'Make room on that disk. At its last byte the node stops with HF_DISK_FULL.',
  },
  'disk.room': {
    level: 'info',
    means: 'The disk of `node` has --free-margin-bytes more than the least it needs.',
    next: 'Nothing.',
  },
  'disk.unknown': {
    level: 'warn',
    means: 'The file system does not say how many bytes are free: nothing is refused for want of them.',
    next: 'Look at the disk of `node`.',
  },
  'disk.refuses': {
    level: 'error',
    means: 'This leader refuses new messages with HF_DISK_LOW. All else goes on.',
    next: 'Make room on the disks of the nodes in `low`.',
  },
  'disk.accepts': {
    level: 'info',
    means: 'There is room again, or this node leads no more: it refuses no messages for want of room.',
    next: 'Nothing.',
  },
  'disk.stalled': {
    level: 'warn',
    means:
      'A write takes longer than 2.5 s: nothing is acknowledged by this node meanwhile. A leader gives way when the disks of the others work.',
    next: 'Look at the disk: holdfast_log_write_in_progress_seconds says how long.',
  },
  'disk.answers': { level: 'info', means: 'The write ended, after `stalledMs` or a little more.', next: 'Nothing.' },
  'process.paused': {
    level: 'warn',
    means: 'The process stood still for `pausedMs`, which is longer than an election timeout.',
    next: 'Look for a lack of CPU, swapping, or a virtual machine that was moved or suspended.',
  },
  'rejoin.lost': {
    level: 'warn',
    means: 'The directory of this member is empty or damaged (`code`), and --rejoin is set: it asks to be replaced.',
    next: 'Nothing, if the others are a majority; otherwise bring one of them back. If it is not expected: look at the disk.',
  },
  'rejoin.waits': {
    level: 'info',
    means: 'It can not be replaced now: `why`. It asks again, less and less often.',
    next: 'What `why` says; `holdfast cluster replace` does it by hand.',
  },
  'rejoin.aside': {
    level: 'warn',
    means: 'What was left of the directory lies in `aside` now.',
    next: 'Remove it when nobody needs it. With three of them there is no further replacement.',
  },
  'rejoin.removes': {
    level: 'warn',
    means: 'The cluster is asked to remove the directory `lost` of this member, before the new one is taken in.',
    next: 'Nothing.',
  },
  'rejoin.done': {
    level: 'info',
    means: 'The new directory is a member; it gets its vote when it has caught up.',
    next: 'Nothing.',
  },
  'rejoin.gaveUp': {
    level: 'error',
    means: 'It has asked as often as it may (`attempts`), or was replaced too often. `why` says what was in the way.',
    next: 'Replace it by hand (docs/members.md), or start it again.',
  },
  'service.fault': {
    level: 'error',
    means: 'A request ended with HF_INTERNAL: a fault of the node, not of the caller.',
    next: 'Report it with the stack.',
  },
  'member.stopLate': {
    level: 'warn',
    means: 'Consensus did not stop in `limitMs`. Nothing acknowledged is lost by it.',
    next: 'Look at the disk.',
  },
  'http.fault': {
    level: 'error',
    means: 'A request ended with HF_INTERNAL: a fault of the node, not of the caller.',
    next: 'Report it with the stack.',
  },
  'http.connections': {
    level: 'warn',
    means: 'Connections to the API were refused because there are as many as are allowed. At most one line a minute.',
    next: 'Let clients share connections, or spread them over the nodes.',
  },
} as const satisfies Readonly<Record<string, EventRow>>;

export interface LogOptions {
  readonly id: string;
  readonly level: LevelWithSilent;
  readonly pretty: boolean;
  /** Where the lines go, or its file descriptor; standard output when absent. */
  readonly to?: DestinationStream | number;
}

/** Written at once, not buffered: the line that says why a process ended must not be lost with it. */
export function createLog({ id, level, pretty, to = 1 }: LogOptions): MemberLog {
  const out = typeof to === 'number' ? linesTo(to) : to;
  const options = {
    level,
    base: { self: id },
    timestamp: () => `,"time":"${new Date(Date.now()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: stdSerializers.err },
    messageKey: 'says',
  };
  return pino(options, pretty ? { write: (line: string) => out.write(readable(line)) } : out);
}

/**
 * What can not be written, because the disk of the log is full, is lost, and the next line is tried anew. An error that
 * nobody listens for would be thrown to whoever logs, and end a node that has all it needs.
 */
function linesTo(fd: number): DestinationStream {
  let out = anew();
  function anew() {
    const lines = destination({ dest: fd, sync: true });
    // A new one: the one that failed keeps all that it could not write, without a bound.
    lines.on('error', () => (out = anew()));
    return lines;
  }
  return { write: (line) => void out.write(line) };
}

/** `09:00:00.123 INFO  n1  became leader  event=raft.leader term=3`, and a stack below when there is one. */
function readable(line: string): string {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) return line;
  const fields = new Map(Object.entries(parsed));
  const take = (name: string) => {
    const value: unknown = fields.get(name);
    fields.delete(name);
    return typeof value === 'string' ? value : '';
  };
  const [time, level, self, says] = [
    take('time').slice(11, 23),
    take('level').toUpperCase().padEnd(5),
    take('self'),
    take('says'),
  ];
  const facts = [...fields].map(([name, value]) => `${name}=${typeof value === 'string' ? value : stackless(value)}`);
  const stack = stackOf(fields.get('error'));
  return `${time} ${level} ${self}  ${says}  ${facts.join(' ')}\n${stack === undefined ? '' : `    ${stack.replaceAll('\n', '\n    ')}\n`}`;
}

function stackOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'stack' in value ? String(value.stack) : undefined;
}

function stackless(value: unknown): string {
  const stack = stackOf(value);
  return stack === undefined ? JSON.stringify(value) : (stack.split('\n')[0] ?? '');
}
