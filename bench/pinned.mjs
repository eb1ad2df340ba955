/** Runs a bench again in a process that has some of the machine's cores only. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * The cores that this process may use, those first that share no physical core.
 *
 * @returns {number[]} numbers as `taskset` takes them
 */
function usableCores() {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const cores = listed(allowed);
  const isFirst = (core) => {
    const siblings = `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`;
    if (!existsSync(siblings)) return true;
    return listed(readFileSync(siblings, 'utf8').trim()).find((one) => cores.includes(one)) === core;
  };
  return [...cores.filter(isFirst), ...cores.filter((core) => !isFirst(core))];
}

/** `0-2,5` as numbers. */
function listed(ranges) {
  return ranges.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/**
 * What a program prints that runs on so many cores. Where there is no `taskset` it has as many threads, on all cores: its option `--threads` says so.
 *
 * @param {number} cores
 * @param {string[]} args of node
 * @returns {Promise<string>}
 */
export async function onCores(cores, args) {
  if (cores > os.availableParallelism())
    throw new Error(`Expected at most ${os.availableParallelism()} for --cores but received ${cores}`);
  const canPin = process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;
  const [command, ...rest] = canPin
    ? ['taskset', '-c', usableCores().slice(0, cores).join(','), process.execPath, ...args]
    : [process.execPath, ...args, '--threads', String(cores)];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`Expected the run on ${cores} cores to succeed but it ended with ${code}`);
  return printed;
}
