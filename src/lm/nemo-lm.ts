/**
 * NeMo's NGPU-LM in an archive of its own (`FastNGramLM.save_to`): an automaton of states and arcs in a checkpoint, read back into the grams that it
 * was made of. A state stands for the tokens before; its arcs for the grams that go on from there.
 */
import { open } from 'node:fs/promises';
import { ModelError } from '../errors.js';
import { readNemoArchive } from '../model/formats/nemo-archive.js';
import type { CheckpointTensor } from '../model/formats/torch-checkpoint.js';
import { readAt } from '../model/read-at.js';
import { LONGEST_ORDER, MOST_GRAMS } from './arpa.js';

/** Some grams of one length. */
interface NemoGrams {
  length: number;
  /** The tokens of all grams, one after the other; -1 is the beginning. */
  tokens: number[];
  /** Natural logarithms, one for each gram. */
  values: number[];
  backoffs: number[];
}

/** What an archive holds. */
export interface NemoLanguageModel {
  vocabulary: number;
  /** ln p of a token without a gram; undefined where each token has one. */
  unseen: number | undefined;
  /** By length. */
  grams: NemoGrams[];
}

const TARGET = /\bFastNGramLM$/;
/** States that NeMo always has: nothing before, and the beginning of a text. */
const START = 0;
const BEGIN = 1;
/** A text's beginning has no probability, but a back-off. */
const NO_PROBABILITY = -99 * Math.LN10;

/**
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_LANGUAGE_MODEL` for an archive of something else, or one whose automaton does not fit together;
 * what `readNemoArchive` throws.
 */
export async function readNemoLanguageModel(file: string): Promise<NemoLanguageModel> {
  const fail = (what: string): never => {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
      `Expected a language model of NeMo (NGPU-LM) in ${file} but ${what}`,
    );
  };
  const { result, dispose } = await readNemoArchive(file, async ({ config, tensors }) => {
    const settings = (config ?? {}) as Record<string, unknown>;
    if (!TARGET.test(String(settings.target))) fail(`it is one of ${String(settings.target)}`);
    const count = (key: string, least: number, most: number): number => {
      const value = settings[key];
      if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
        return value as number;
      return fail(`its ${key} is ${String(value)}, and ${least} to ${most} can be read`);
    };
    const sizes = {
      vocabulary: count('vocab_size', 1, MOST_GRAMS),
      order: count('max_order', 2, LONGEST_ORDER),
      arcs: count('num_arcs', 1, MOST_GRAMS),
      states: count('num_states', 2, MOST_GRAMS),
    };
    if (settings.separate_bos_state === false) fail('it has no state for the beginning');
    const read = async (name: string, kinds: readonly CheckpointTensor['dtype'][], least: number) => {
      const tensor = tensors.find((one) => one.name === name) ?? fail(`it has no ${name}`);
      if (!kinds.includes(tensor.dtype)) fail(`its ${name} is of type ${tensor.dtype}`);
      if (tensor.shape.length !== 1 || (tensor.shape[0] as number) < least)
        fail(`its ${name} has the shape [${tensor.shape.join(', ')}], and ${least} are needed`);
      return valuesOf(tensor, least);
    };
    const [weights, backoffs, from, to, labels] = await Promise.all([
      read('arcs_weights', ['F32'], sizes.arcs),
      read('backoff_weights', ['F32'], sizes.states),
      read('from_states', ['I32', 'I64'], sizes.arcs),
      read('to_states', ['I32', 'I64'], sizes.arcs),
      read('ilabels', ['I32', 'I64'], sizes.arcs),
    ]);
    return gramsOf({ ...sizes, weights, backoffs, from, to, labels }, fail);
  });
  await dispose();
  return result;
}

async function valuesOf(
  { path, offset, dtype }: CheckpointTensor,
  count: number,
): Promise<ArrayLike<number>> {
  const size = dtype === 'I64' ? 8 : 4;
  const handle = await open(path, 'r');
  const bytes = await readAt(handle, offset, count * size).finally(() => handle.close());
  const { buffer, byteOffset } = bytes;
  // A copy where the bytes do not lie as the numbers must.
  const whole =
    byteOffset % size === 0
      ? buffer.slice(byteOffset, byteOffset + bytes.length)
      : Uint8Array.from(bytes).buffer;
  if (dtype === 'F32') return new Float32Array(whole);
  return dtype === 'I32' ? new Int32Array(whole) : Float64Array.from(new BigInt64Array(whole), Number);
}

interface Automaton {
  vocabulary: number;
  order: number;
  arcs: number;
  states: number;
  weights: ArrayLike<number>;
  backoffs: ArrayLike<number>;
  from: ArrayLike<number>;
  to: ArrayLike<number>;
  labels: ArrayLike<number>;
}

/** Arcs come in the order of their grams' length, so a state is reached before its own arcs. */
function gramsOf(
  { vocabulary, order, arcs, states, weights, backoffs, from, to, labels }: Automaton,
  fail: (what: string) => never,
): NemoLanguageModel {
  const parents = new Int32Array(states).fill(-1);
  const own = new Int32Array(states);
  const lengths = new Int8Array(states);
  [own[BEGIN], parents[BEGIN], lengths[BEGIN]] = [-1, START, 1];
  const grams: NemoGrams[] = Array.from({ length: order }, (_, i) => ({
    length: i + 1,
    tokens: [],
    values: [],
    backoffs: [],
  }));
  grams[0]?.tokens.push(-1);
  grams[0]?.values.push(NO_PROBABILITY);
  grams[0]?.backoffs.push(backoffs[BEGIN] as number);
  let unseen: number | undefined;
  for (let arc = 0; arc < arcs; arc++) {
    const [state, next, label] = [from[arc] as number, to[arc] as number, labels[arc] as number];
    const weight = weights[arc] as number;
    if (!(state >= 0 && state < states && next >= 0 && next < states))
      fail(`its arc ${arc} leads out of the states`);
    if (!(label >= 0 && label < vocabulary)) fail(`its arc ${arc} has the token ${label} of ${vocabulary}`);
    if (!(weight <= 0)) fail(`its arc ${arc} has the logarithm ${weight} of a probability`);
    if (state === START && next === START) {
      // A token without a gram of its own.
      unseen = weight;
      continue;
    }
    const length = (lengths[state] as number) + 1;
    if ((state !== START && parents[state] === -1) || length > order)
      fail(`its arc ${arc} goes on from a state that no gram leads to`);
    const into = grams[length - 1] as NemoGrams;
    const first = into.tokens.length;
    into.tokens.push(label);
    for (let at = state; at !== START; at = parents[at] as number)
      into.tokens.splice(first, 0, own[at] as number);
    into.values.push(weight);
    // The longest grams lead back to a state of fewer tokens.
    const isOwn = length < order;
    into.backoffs.push(isOwn ? (backoffs[next] as number) : 0);
    if (!isOwn) continue;
    if (next === START || parents[next] !== -1) fail(`its arc ${arc} leads to a state of another gram`);
    [own[next], parents[next], lengths[next]] = [label, state, length];
  }
  return { vocabulary, unseen, grams: grams.filter(({ values }) => values.length > 0) };
}
