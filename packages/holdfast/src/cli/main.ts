#!/usr/bin/env node
// The command: `holdfast start | cluster | backup | restore | verify | demo`. An error is a sentence on standard error, and an exit code that is not 0.
import { routes } from '@holdfast/api';
import { Command, InvalidArgumentError } from 'commander';
import { backup, restore, verify } from './backup.ts';
import { cluster } from './cluster.ts';
import { CommandError } from './command-error.ts';
import { demo } from './demo.ts';
import { addMember, removeMember, replaceMember, transferLeadership } from './members.ts';
import { settingsHelp, start } from './start.ts';

const version = '0.1.0';

function wholeNumber(from: number, to: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };
}

function memberName(text: string): string {
  if (routes.removeMember.params.safeParse({ id: text }).success) return text;
  throw new InvalidArgumentError('It must be the name of a member.');
}

const program = new Command('holdfast')
  .description('Timed messages on a replicated log.')
  .version(version)
  .showHelpAfterError();

program
  .command('start')
  .description('Start one node: a cluster of its own, or a member of one.')
  .option('--print-config', 'print every setting with its value, and end')
  .allowUnknownOption()
  .allowExcessArguments()
  .addHelpText('after', settingsHelp())
  .action(async (options: { printConfig?: boolean }, command: Command) => start(command.args, options));

const clusterCommand = program
  .command('cluster')
  .description(
    'Start three nodes on this machine, and stop them with Ctrl-C. Or change the members of a cluster that runs.',
  )
  .option('--data-dir <path>', 'where their data and logs lie', './data')
  .option(
    '--base-port <port>',
    'the first of three API ports; the peer ports are 100 above',
    wholeNumber(1, 65_433),
    7_401,
  )
  .option('--verbose', 'print the logs of the nodes instead of writing them to files', false)
  .option('--json', 'print addresses as JSON', false)
  .allowExcessArguments()
  .action(async (options: Parameters<typeof cluster>[0], command: Command) => {
    const [mistyped] = command.args;
    if (mistyped !== undefined) command.error(`error: unknown command 'cluster ${mistyped}'`);
    await cluster(options);
  });

const toMember = ['--to <api>', 'host:port of the API of any member'] as const;
clusterCommand
  .command('add')
  .description('Take in a node that was started with --join; returns when it has a vote.')
  .argument('<api>', 'host:port of the API of the new node')
  .requiredOption(...toMember)
  .action(addMember);
clusterCommand
  .command('remove')
  .description('Remove a member for good, dead or alive.')
  .argument('<id>', 'its name', memberName)
  .requiredOption(...toMember)
  .action(removeMember);
clusterCommand
  .command('replace')
  .description('Take in a new node for a member that is gone for good.')
  .argument('<id>', 'the name of the one that is gone', memberName)
  .argument('<api>', 'host:port of the API of the new node, which was started with --join')
  .requiredOption(...toMember)
  .action(replaceMember);
clusterCommand
  .command('transfer')
  .description('Hand leadership over.')
  .option('--to-node <id>', 'to this member, not to the one that has most', memberName)
  .requiredOption(...toMember)
  .action(transferLeadership);

program
  .command('backup')
  .description('Write the state of a cluster that runs to a file; it goes on meanwhile.')
  .argument('<file>', 'a new file')
  .requiredOption(...toMember)
  .action(backup);
program
  .command('restore')
  .description('Make a directory for the first node of a new cluster from a backup.')
  .argument('<file>', 'what `holdfast backup` has written')
  .requiredOption('--data-dir <path>', 'an empty directory, or one that does not exist yet')
  .option('--id <name>', 'the name of that node', 'n1')
  .action(restore);
program
  .command('verify')
  .description('Walk over a backup, or over the directory of a node that is stopped, and say what is wrong.')
  .argument('<path>', 'the file, or the directory')
  .action(async (path: string) => {
    if (!(await verify(path))) process.exitCode = 1;
  });

program
  .command('demo')
  .description('Schedule messages, kill the leader with -9, twice, and count what arrived.')
  .option('--messages <count>', 'how many', wholeNumber(1, 1_000_000), 5_000)
  .option('--seconds <count>', 'over how long they are due', wholeNumber(3, 3_600), 30)
  .option('--json', 'print the figures as JSON', false)
  .action(async (options: { messages: number; seconds: number; json: boolean }) => {
    if (!(await demo(options))) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
// Handlers of signals and connections that are kept alive must not hold up a command that is done.
process.exit();

/** What is expected to go wrong has a code, and its message is for people; anything else is a fault, and shows where. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof CommandError || 'code' in error || error.stack === undefined ? error.message : error.stack;
}
