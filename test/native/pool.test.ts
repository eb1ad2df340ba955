import { testProgram } from './program.js';

// The addon shows the pool's results only, in arrays that are right as long as each piece is done; this looks at the pieces.
testProgram(
  'the pool of threads',
  'does each piece once, for several callers at once; exceptions come back; nothing begins after giving up',
  ['test/native/pool.cpp', 'native/ops/pool.cpp', 'native/ops/available_cores.cpp', 'native/ops/profile.cpp'],
);
