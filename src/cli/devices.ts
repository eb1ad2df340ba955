/** `parakeet devices`: the names of this machine's input devices, for `live --mic --device`. */
import { devices } from '../sources/mic.js';
import type { Values } from './cli-option.js';
import type { Context } from './program.js';

export function listDevices(_args: string[], values: Values, { terminal }: Context): number {
  const { stdout, stderr } = terminal;
  const found = devices();
  if (values.json === true) stdout.write(`${JSON.stringify(found)}\n`);
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
