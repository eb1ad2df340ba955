/** How a command is asked to end. */
import { expect, test } from 'vitest';
import { Ending } from '../../src/cli/ending.js';
import { fakeTerminal } from '../support/command-line.js';

test('a command that ends in good order is stopped by the second request; one more ends the process', () => {
  const { terminal, signal, exits } = fakeTerminal();
  const ending = new Ending(terminal);
  const { signal: abort } = ending;
  let ended = 0;
  ending.onFirst(() => {
    ended++;
  });
  signal('SIGTERM');
  expect({ ended, aborted: abort.aborted, exits }).toEqual({ ended: 1, aborted: false, exits: [] });
  signal('SIGINT');
  expect({ ended, aborted: abort.aborted, exits }).toEqual({ ended: 1, aborted: true, exits: [] });
  signal('SIGINT');
  expect(exits).toEqual([130]);
  expect(ending.code).toBe(143);
});

test('a command that cannot be stopped ends at once', () => {
  const { terminal, signal, exits } = fakeTerminal();
  new Ending(terminal);
  signal('SIGHUP');
  expect(exits).toEqual([129]);
});

test('it listens no more when the command is over', () => {
  const { terminal, signal, exits } = fakeTerminal();
  new Ending(terminal).dispose();
  signal('SIGTERM');
  expect(exits).toEqual([]);
});

test('a closed pipe aborts, another error of the output does not', () => {
  const { terminal, stdout } = fakeTerminal();
  const ending = new Ending(terminal);
  stdout.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
  expect(ending.code).toBeUndefined();
  stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  expect(ending.code).toBe(141);
  expect(ending.signal.aborted).toBe(true);
});
