/** The command line's own definition, for tests that compare documents and other commands with it. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { CliCommand } from '../../src/cli/cli-command.js';
import { CliOption, type Values } from '../../src/cli/cli-option.js';
import { Ending } from '../../src/cli/ending.js';
import { createProgram } from '../../src/cli/program.js';
import type { EndSignal, Terminal } from '../../src/cli/terminal.js';

/** A terminal for a command: what it writes, what it is sent, and how it would exit. */
export function fakeTerminal(isTTY = true, env: NodeJS.ProcessEnv = {}) {
  const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 });
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const [stdout, stderr] = [stream(), stream()];
  const exits: number[] = [];
  const exit = (code: number) => exits.push(code);
  const process = Object.assign(new EventEmitter(), { stdin, stdout, stderr, env, exit });
  return {
    terminal: process as unknown as Terminal,
    stdin,
    stdout,
    exits,
    signal: (name: EndSignal) => process.emit(name),
    said: () => (stdout.read() as string | null) ?? '',
    shown: () => (stderr.read() as string | null) ?? '',
  };
}

/** All commands: `models pull` by its words. */
export function commands(): Map<string, CliCommand> {
  const { terminal } = fakeTerminal();
  const ending = new Ending(terminal);
  const program = createProgram({ terminal, ending }, () => {});
  const found = new Map<string, CliCommand>();
  const visit = (command: CliCommand, words: string[]) => {
    found.set(words.join(' '), command);
    for (const sub of command.commands) visit(sub as CliCommand, [...words, sub.name()]);
  };
  visit(program, []);
  return found;
}

/** The options of a command, by what is written on a command line. */
export function optionsOf(command: CliCommand): CliOption[] {
  return command.options.filter((option) => option instanceof CliOption);
}

/** What a command line means: its arguments and values, without running anything. */
export async function read(
  argv: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ args: string[]; values: Values }> {
  const { terminal } = fakeTerminal(true, env);
  const program = createProgram({ terminal, ending: new Ending(terminal) }, () => {});
  let result: { args: string[]; values: Values } | undefined;
  for (const command of program.commands) {
    command.action(() => {
      result = { args: command.args, values: command.opts() };
    });
  }
  await program.parseAsync(argv, { from: 'user' });
  if (!result) throw new Error('no command ran');
  return result;
}
