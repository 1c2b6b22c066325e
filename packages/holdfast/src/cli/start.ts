// `holdfast start`: one member, from its settings until it is asked to stop.
import { allSettings, printConfig, readConfig, startNode } from '@holdfast/server';

/**
 * Resolves when the node has stopped because it was asked to (SIGTERM, SIGINT, SIGHUP, or the end of the process that
 * started it with an IPC channel). A node that can not go on ends the process with 1.
 *
 * @param args settings as flags
 * @throws StartError, RaftError: it did not start
 */
export async function start(args: readonly string[], options: { readonly printConfig?: boolean }): Promise<void> {
  const config = readConfig(args, process.env);
  if (options.printConfig === true) {
    process.stdout.write(printConfig(config));
    return;
  }
  const asked = askedToStop();
  const givenUp = new AbortController();
  void asked.stopping.then(() => givenUp.abort());
  const node = await startNode(config, {
    signal: givenUp.signal,
    onFatal() {
      process.exitCode = 1;
      asked.stop();
    },
  });
  // For a parent that started it with a channel: whatever answers at its address from now on is this node.
  if (process.connected) process.send?.({ started: node.id, api: node.api });
  await asked.stopping;
  await node.stop();
}

/** Every setting with its default, for `--help`. */
export function settingsHelp(): string {
  const rows = allSettings.map(({ flag, variable, byDefault, says }) => {
    const value = byDefault === undefined || byDefault === '' ? '' : ` (default ${byDefault})`;
    return `  ${flag}, ${variable}${value}\n      ${says}`;
  });
  return `\nSettings, as flags or in the environment:\n${rows.join('\n')}\n`;
}

export interface Asked {
  readonly stopping: Promise<void>;
  stop(): void;
}

/** A second signal changes nothing: stopping is bounded in time, and what kills it early is `kill -9`. */
export function askedToStop(): Asked {
  let stop = (): void => undefined;
  const stopping = new Promise<void>((resolve) => (stop = resolve));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  // The parent is gone, whatever ended it: a cluster that nobody sees must not hold its ports and directories.
  process.on('disconnect', stop);
  return { stopping, stop };
}
