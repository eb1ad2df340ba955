/**
 * Runs one command line and turns how it ended into an exit code and a message. The commands themselves write transcripts only.
 */
import { CommanderError } from 'commander';
import { isAbort } from '../errors.js';
import type { CliCommand } from './cli-command.js';
import { describe } from './describe.js';
import { Ending } from './ending.js';
import { createProgram } from './program.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

/** Runs one command line and resolves with the exit code. Never rejects. */
export async function run(argv: string[], terminal: Terminal): Promise<number> {
  const ending = new Ending(terminal);
  try {
    const code = await dispatch(argv, terminal, ending);
    // A write to a closed pipe fails a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    return ending.code ?? code;
  } finally {
    ending.dispose();
  }
}

async function dispatch(argv: string[], terminal: Terminal, ending: Ending): Promise<number> {
  let code = 0;
  const program = createProgram({ terminal, ending }, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(withHyphens(argv, program), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help was requested, or no command was given.
      return error.exitCode === 0 ? 0 : 2;
    }
    return report(error, terminal, ending);
  }
}

/** `--output_format` is `--output-format`: whisper's options have underscores. */
function withHyphens(argv: string[], program: CliCommand): string[] {
  const known = new Set(everyCommand(program).flatMap(({ options }) => options.map(({ long }) => long)));
  return argv.map((arg) => {
    const [, name = '', rest = ''] = /^(--[^=]*)(.*)$/s.exec(arg) ?? [];
    const hyphenated = name.replaceAll('_', '-');
    return name.includes('_') && known.has(hyphenated) ? hyphenated + rest : arg;
  });
}

function everyCommand(command: CliCommand): CliCommand[] {
  return [command, ...(command.commands as CliCommand[]).flatMap(everyCommand)];
}

/** Prints on stderr what went wrong, in one line, and returns the exit code for it. */
function report(error: unknown, { stderr }: Terminal, ending: Ending): number {
  if (error instanceof UsageError) {
    stderr.write(`parakeet: ${error.message}\nSee ${error.command ?? 'parakeet'} --help.\n`);
    return 2;
  }
  // A failure caused by the request to end is not reported.
  if (isAbort(error)) return ending.code ?? 130;
  if (ending.code === 141) return ending.code;
  stderr.write(`parakeet: ${describe(error)}\n`);
  return 1;
}
