import { testProgram } from './program.js';

testProgram(
  'memory of weights',
  'gives zeros to several threads, keeps what stays whole, and takes back what is gone',
  ['test/native/weight_memory.cpp', 'native/ops/cpu/weight_memory.cpp'],
);
