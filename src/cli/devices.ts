/** `parakeet devices`: the names of this machine's input devices, for `live --mic --device`. */
import { devices } from '../sources/mic.js';
import type { Parsed } from './options.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function listDevices(
  { values, positionals }: Parsed,
  { stdout, stderr }: Terminal,
): Promise<number> {
  if (positionals.length > 0) {
    throw new UsageError(`Expected no argument but received ${positionals.join(' ')}`);
  }
  const found = devices();
  if (values.get('json') === true) stdout.write(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) stderr.write('parakeet: no input device was found\n');
  else {
    stdout.write(
      found
        .map(({ index, name, isDefault }) => `${index}  ${name}${isDefault ? ' (default)' : ''}\n`)
        .join(''),
    );
  }
  return 0;
}
