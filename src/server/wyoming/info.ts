/** What the server tells of itself in the Wyoming protocol. */
import type { ServerContext } from '../context.js';

const ATTRIBUTION = { name: 'parakeet-stream', url: 'https://www.npmjs.com/package/parakeet-stream' };
/** The languages of NVIDIA's multilingual model; the others know English. */
const EUROPEAN = 'bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro ru sk sl sv uk'.split(' ');

/** Which languages a model knows: its config does not say, but only the multilingual one spells Cyrillic. */
export function languagesOf(vocabulary: readonly string[]): readonly string[] {
  return vocabulary.some((piece) => /\p{Script=Cyrillic}/u.test(piece)) ? EUROPEAN : ['en'];
}

/** The data of an `info` event. */
export function infoOf({ model, modelName }: ServerContext): object {
  const description = `${modelName}, on this machine`;
  const about = { attribution: ATTRIBUTION, installed: true, description, version: null };
  return {
    asr: [
      {
        ...about,
        name: 'parakeet',
        supports_transcript_streaming: true,
        models: [{ ...about, name: modelName, languages: languagesOf(model.info.vocabulary) }],
      },
    ],
    tts: [],
    handle: [],
    intent: [],
    wake: [],
    mic: [],
    snd: [],
  };
}
