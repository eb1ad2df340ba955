/** Options of a stream as its draft model takes them: what is meant for the accurate model is left out. */
import type { NativeModelInfo } from '../engine/addon.js';
import { expected, received } from '../options.js';
import type { BoostPhrase } from './boost.js';
import { canSpell } from './boost-tree.js';
import type { DecodingOptions } from './decoding.js';
import type { LoadedModel } from './loaded-model.js';
import { isModel } from './stage-model.js';
import type { LiveTuning } from './streaming-options.js';

/** Drafts are there to be early. */
const LATENCY = 'low';

/** How a draft model streams: as early as its preset allows, in the stream's language if it is told one. */
export function draftTuning(
  info: Pick<NativeModelInfo, 'prompts'>,
  { language, lagPolicy }: Pick<LiveTuning, 'language' | 'lagPolicy'>,
): LiveTuning {
  return { latency: LATENCY, lagPolicy, language: takesLanguage(info) ? language : undefined };
}

/**
 * How a draft model chooses tokens: greedily, with the stream's phrases. Those that it cannot spell are left out: it is the other model that
 * must know them.
 */
export function draftDecoding(
  info: Pick<NativeModelInfo, 'vocabulary'>,
  decoding: DecodingOptions | undefined,
): DecodingOptions | undefined {
  return decoding?.boost && { boost: draftBoost(info, decoding.boost) };
}

/** The phrases that a draft model can spell. */
export function draftBoost(
  { vocabulary }: Pick<NativeModelInfo, 'vocabulary'>,
  boost: readonly BoostPhrase[],
): BoostPhrase[] {
  return boost.filter((one) => canSpell(vocabulary, one));
}

/**
 * The language for the accurate model of a stream with a draft model: a language that only the draft model is told is no mistake.
 */
export function languageBeside(
  info: Pick<NativeModelInfo, 'prompts'>,
  draft: Pick<NativeModelInfo, 'prompts'> | undefined,
  language: string | undefined,
): string | undefined {
  return draft && takesLanguage(draft) && !takesLanguage(info) ? undefined : language;
}

/** @throws {@link ArgumentError} for anything but a model of `loadModel`, or none. */
export function loadedDraftModel(draftModel: unknown): LoadedModel | undefined {
  if (draftModel === undefined || (isModel(draftModel) && 'addon' in draftModel))
    return draftModel as LoadedModel | undefined;
  throw expected('a loaded model', 'draftModel', draftModel, 'Await loadModel() first.');
}

/** Both models hear the same samples. @throws {@link ArgumentError} */
export function mustShareRate(info: NativeModelInfo, draft: NativeModelInfo): void {
  if (info.sampleRate === draft.sampleRate) return;
  throw received(
    `a model of ${info.sampleRate} Hz, as model is,`,
    'draftModel',
    `one of ${draft.sampleRate} Hz`,
  );
}

function takesLanguage({ prompts }: Pick<NativeModelInfo, 'prompts'>): boolean {
  return Object.keys(prompts).length > 0;
}
