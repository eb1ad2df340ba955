/**
 * The layout of subtitles: the options, their defaults, and their checks. They are applied in cue-splitter.ts and cue-maker.ts.
 */
import { expected, finite, integer, optionalBoolean } from '../options.js';
import { checkFileSinkOptions, type FileSinkOptions } from './sink.js';

/**
 * Options of `srtWriter` and `vttWriter`. By default cues follow the conventions of subtitling: they are split at punctuation, else at
 * pauses, else before function words such as "and", and stay long enough to be read.
 */
export interface SubtitleOptions extends FileSinkOptions {
  /**
   * Mark each word while it is spoken: a cue becomes several with the same text, one per word. parakeet-mlx marks tokens, which are parts
   * of words.
   * @defaultValue false
   */
  highlightWords?: boolean | undefined;
  /**
   * Most columns of a line, at least 10; a wide character (Chinese, Japanese) takes two.
   * @defaultValue 42
   */
  maxLineWidth?: number | undefined;
  /**
   * Most lines of a cue, at least 1.
   * @defaultValue 2
   */
  maxLineCount?: number | undefined;
  /**
   * Shortest time of a cue in seconds, unless the next one begins before, 0 to 60.
   * @defaultValue 1
   */
  minCueDuration?: number | undefined;
  /**
   * Longest time of a cue in seconds, more than `minCueDuration`, up to 3600.
   * @defaultValue 7
   */
  maxCueDuration?: number | undefined;
  /**
   * Reading speed in columns per second, at least 1: a cue stays longer if the speech leaves time for it.
   * @defaultValue 20
   */
  maxCharactersPerSecond?: number | undefined;
  /**
   * One cue per sentence, however long, from its first word to its last, as parakeet-mlx writes them; not with the five options above.
   * @defaultValue false
   */
  cuePerSentence?: boolean | undefined;
}

/** The options with their defaults. */
export interface SubtitleRules {
  highlightWords: boolean;
  lineWidth: number;
  lineCount: number;
  shortest: number;
  longest: number;
  speed: number;
  perSentence: boolean;
}

/** The options that shape cues, which `cuePerSentence` excludes. */
export const cueShapeKeys = [
  'maxLineWidth',
  'maxLineCount',
  'minCueDuration',
  'maxCueDuration',
  'maxCharactersPerSecond',
] as const;

/** @throws {@link ArgumentError} */
export function subtitleRules(what: string, options: SubtitleOptions): SubtitleRules {
  checkFileSinkOptions(what, options, ['highlightWords', ...cueShapeKeys, 'cuePerSentence']);
  const perSentence = optionalBoolean('cuePerSentence', options.cuePerSentence) ?? false;
  const stray = perSentence ? cueShapeKeys.find((key) => options[key] !== undefined) : undefined;
  if (stray) throw expected('no value beside cuePerSentence', stray, options[stray]);
  const shortest = finite('minCueDuration', options.minCueDuration ?? 1, 0, 60);
  const longest = finite('maxCueDuration', options.maxCueDuration ?? 7, 0.1, 3600);
  if (longest <= shortest)
    throw expected('more than minCueDuration', 'maxCueDuration', options.maxCueDuration ?? longest);
  return {
    highlightWords: optionalBoolean('highlightWords', options.highlightWords) ?? false,
    lineWidth: integer('maxLineWidth', options.maxLineWidth ?? 42, 10, 1000),
    lineCount: integer('maxLineCount', options.maxLineCount ?? 2, 1, 100),
    shortest,
    longest,
    speed: finite('maxCharactersPerSecond', options.maxCharactersPerSecond ?? 20, 1, 1000),
    perSentence,
  };
}
