import { testProgram } from './program.js';

if (process.platform === 'linux') {
  testProgram('the cores of this process', 'are those of its affinity', [
    'test/native/available_cores.cpp',
    'native/ops/available_cores.cpp',
  ]);
}
