/** Resident memory after a garbage collection, in bytes. */
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

export function memoryInUse() {
  // Array buffers are freed beside the collection that finds them; the next one waits for that.
  collect();
  collect();
  return process.memoryUsage.rss();
}
