import { testProgram } from './program.js';

testProgram('a list of weak references', 'gives those that are alive, and lets go of the others', [
  'test/native/weak_list.cpp',
]);
