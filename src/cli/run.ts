/**
 * Picks the command, and turns how it ended into an exit code and a message: 0 done, 1 failed, 2 not understood,
 * 130 interrupted. The commands themselves write transcripts only.
 */
import { createRequire } from 'node:module';
import { isAbort } from '../errors.js';
import { describe } from './describe.js';
import { listDevices } from './devices.js';
import { doctor } from './doctor.js';
import {
  DEVICES_HELP,
  DOCTOR_HELP,
  GENERAL_HELP,
  LIVE_HELP,
  MODELS_HELP,
  REPLAY_HELP,
  TRANSCRIBE_HELP,
  VERIFY_HELP,
} from './help.js';
import { live } from './live.js';
import { models } from './models.js';
import {
  DEVICES_OPTIONS,
  DOCTOR_OPTIONS,
  LIVE_OPTIONS,
  MODELS_OPTIONS,
  type OptionTable,
  type Parsed,
  parse,
  REPLAY_OPTIONS,
  TRANSCRIBE_OPTIONS,
  VERIFY_OPTIONS,
} from './options.js';
import { replay } from './replay.js';
import type { Terminal } from './terminal.js';
import { transcribe } from './transcribe.js';
import { UsageError } from './usage-error.js';
import { verify } from './verify.js';

interface Command {
  options: OptionTable;
  help: string;
  run(parsed: Parsed, terminal: Terminal): Promise<number>;
}

const COMMANDS: Record<string, Command> = {
  transcribe: { options: TRANSCRIBE_OPTIONS, help: TRANSCRIBE_HELP, run: transcribe },
  live: { options: LIVE_OPTIONS, help: LIVE_HELP, run: live },
  devices: { options: DEVICES_OPTIONS, help: DEVICES_HELP, run: listDevices },
  models: { options: MODELS_OPTIONS, help: MODELS_HELP, run: models },
  replay: { options: REPLAY_OPTIONS, help: REPLAY_HELP, run: replay },
  doctor: { options: DOCTOR_OPTIONS, help: DOCTOR_HELP, run: doctor },
  verify: { options: VERIFY_OPTIONS, help: VERIFY_HELP, run: verify },
};

/** Runs one command line and resolves with the exit code. Never rejects. */
export async function run(argv: string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

async function dispatch([name = '', ...argv]: string[], terminal: Terminal): Promise<number> {
  if (name === '--version') return print(terminal, `parakeet-stream ${version()}\n`);
  if (name === '--help' || name === '-h') return print(terminal, GENERAL_HELP);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new UsageError(
      name === '' ? `Expected a command: ${names()}` : `Expected ${names()} but received ${name}`,
    );
  }
  const parsed = parse(command.options, argv, terminal.env);
  if (parsed.values.get('help') === true) return print(terminal, command.help);
  if (parsed.values.get('version') === true) return print(terminal, `parakeet-stream ${version()}\n`);
  return command.run(parsed, terminal);
}

function names(): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(Object.keys(COMMANDS));
}

function print(terminal: Terminal, text: string): number {
  terminal.stdout.write(text);
  return 0;
}

function version(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };
  return manifest.version;
}

/** Says on stderr what went wrong, in one line, and returns the exit code for it. */
export function report(error: unknown, { stderr }: Pick<Terminal, 'stderr'>): number {
  if (error instanceof UsageError) {
    stderr.write(`parakeet: ${error.message}\nSee parakeet --help.\n`);
    return 2;
  }
  if (isAbort(error)) return 130;
  stderr.write(`parakeet: ${describe(error)}\n`);
  return 1;
}
