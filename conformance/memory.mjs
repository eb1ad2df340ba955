/** Resident memory after a garbage collection, in bytes. */
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

export function memoryInUse() {
  collect();
  return process.memoryUsage.rss();
}
