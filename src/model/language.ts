/** Which language a multilingual model is told to hear, where its frames are told one. */
import type { NativeContext, NativeModelInfo } from '../engine/addon.js';
import { expected } from '../options.js';

/** The language when none is named. */
const AUTO = 'auto';

/** Checks what needs no model. @throws {@link ArgumentError} */
export function checkLanguage(language: string | undefined): void {
  if (language === undefined || (typeof language === 'string' && language !== '')) return;
  throw expected("the name of a language, such as 'en-US' or 'auto',", 'language', language);
}

/**
 * The context with the number of the language, for a model that is told one; otherwise as it is.
 *
 * @throws {@link ArgumentError} for a language that the model does not have, or where none is named and it cannot find out.
 */
export function inLanguage(
  { prompts }: Pick<NativeModelInfo, 'prompts'>,
  language: string | undefined,
  context: NativeContext,
): NativeContext {
  checkLanguage(language);
  const names = Object.keys(prompts);
  if (names.length === 0) {
    if (language === undefined) return context;
    throw expected('no value for a model that is not told its language', 'language', language);
  }
  const prompt = Object.hasOwn(prompts, language ?? AUTO) ? prompts[language ?? AUTO] : undefined;
  if (prompt === undefined) throw expected(`one of ${names.join(', ')}`, 'language', language);
  return [context[0], context[1], prompt];
}
