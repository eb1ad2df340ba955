import { testProgram } from './program.js';

// Files that no builder of ours makes, and sums over all tokens: JavaScript would be too slow for them.
testProgram(
  'language models',
  'learn, are pruned to a size, and give probabilities; damaged files are refused or can be used; grams come in any order',
  [
    'test/native/language_model.cpp',
    'native/lm/encode.cpp',
    'native/lm/gram_table.cpp',
    'native/lm/kneser_ney.cpp',
    'native/lm/language_model.cpp',
    'native/lm/window_counts.cpp',
    'native/model/mapped_file.cpp',
  ],
);
