/** The parameters of Deepgram's `listen`, and what they are here. See docs/deepgram.md for each of them. */
import type { BoostPhrase, InputOptions, UtteranceOptions } from '../../../index.js';
import { checkSession } from '../../cluster/channel-keeper.js';
import { encodingOf } from '../../encodings.js';
import { phrasesOf, Query } from '../../query.js';
import { protocolError } from '../../sockets/messages.js';

/** What a client asks for. */
export interface ListenParameters {
  input: InputOptions;
  /** Each channel is transcribed by itself. */
  multichannel: boolean;
  /** Live: how many interleaved channels are transcribed each for itself; 1: all together. */
  separate: number;
  interim: boolean;
  utterances: UtteranceOptions | boolean;
  /** Seconds without a word after which `UtteranceEnd` is sent. */
  utteranceEnd: number | undefined;
  vadEvents: boolean;
  punctuate: boolean;
  boost: BoostPhrase[];
  room: string | undefined;
  /** Seconds that come before this transcript in its room. */
  offset: number;
  /** Of a cluster: the session that goes on, or begins. */
  session: string | undefined;
  warnings: Warning[];
}

/** A parameter without effect, as Deepgram tells it. */
interface Warning {
  parameter: string;
  type: 'unsupported_parameter';
  message: string;
}

/** Containers that clients name as an encoding: they are recognised by their first bytes. */
const CONTAINERS = ['flac', 'ogg-opus', 'webm-opus', 'wav', 'mp3'];
/** What has an effect here. `model`, `language` and their like are accepted: there is one model. */
const USED = [
  ...['encoding', 'sample_rate', 'channels', 'multichannel', 'interim_results', 'endpointing'],
  ...['utterance_end_ms', 'vad_events', 'punctuate', 'keyterm', 'keywords', 'room', 'offset', 'session'],
  ...['model', 'version', 'language', 'tag', 'extra', 'mip_opt_out', 'ticket', 'smart_format'],
];
const MOST_CHANNELS = 16;
/** Seconds: the model's words are 80 ms apart, so a shorter pause would end an utterance between any two. */
const LEAST_GAP = 0.16;
const GAP_AFTER_PUNCTUATION = 0.5;

/** {@link readParameters} of a socket. @throws {@link ServerError} also for the channels of a container, which are mixed. */
export function readLiveParameters(url: string): ListenParameters {
  const parameters = readParameters(url);
  if (parameters.separate > 1 && parameters.input.format === undefined)
    throw protocolError(
      'Expected encoding and sample_rate with multichannel: the channels of a live container are mixed',
    );
  return parameters;
}

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` for values that mean nothing, and for addresses to call back. */
export function readParameters(url: string): ListenParameters {
  const query = new Query(url);
  if (query.text('callback') !== undefined)
    throw protocolError('Expected no callback: this server connects to nobody. Read the answer instead.');
  const channels = query.integer('channels', 1, MOST_CHANNELS) ?? 1;
  const input = readInput(query, channels);
  const multichannel = query.flag('multichannel') ?? false;
  const end = query.integer('utterance_end_ms', 1, 60_000);
  return {
    input,
    multichannel,
    separate: multichannel ? channels : 1,
    interim: query.flag('interim_results') ?? false,
    utterances: readEndpointing(query),
    utteranceEnd: end === undefined ? undefined : end / 1000,
    vadEvents: query.flag('vad_events') ?? false,
    punctuate: query.flag('punctuate') ?? true,
    boost: phrasesOf([...query.all('keyterm'), ...query.all('keywords')]),
    room: query.text('room'),
    offset: (query.integer('offset', 0, 999_999_999) ?? 0) / 1000,
    session: readSession(query, input),
    warnings: warningsOf(query),
  };
}

function readInput(query: Query, channels: number): InputOptions {
  const name = query.text('encoding');
  const sampleRate = query.integer('sample_rate', 1000, 192_000);
  if (name === undefined || CONTAINERS.includes(name)) return {};
  const format = encodingOf(name);
  if (format === undefined)
    throw protocolError(
      `Expected linear16, linear32, mulaw, alaw or a container for encoding but received ${name}`,
    );
  if (sampleRate === undefined)
    throw protocolError('Expected sample_rate with encoding: raw audio does not carry it');
  return { format, sampleRate, channels };
}

/** Sound can be written again only if each sample has its place. */
function readSession(query: Query, { format, channels }: InputOptions): string | undefined {
  const session = query.text('session');
  if (session === undefined) return undefined;
  if (format !== 's16le' || channels !== 1)
    throw protocolError('Expected encoding=linear16 and one channel with session');
  return checkSession(session);
}

/** Milliseconds of silence, or whether utterances are ended at all. */
function readEndpointing(query: Query): UtteranceOptions | boolean {
  const text = query.text('endpointing');
  if (text === undefined || text === 'true') return true;
  if (text === 'false') return false;
  const gap = Math.max(LEAST_GAP, (query.integer('endpointing', 0, 60_000) as number) / 1000);
  return { maxGap: gap, maxGapAfterPunctuation: Math.min(gap, GAP_AFTER_PUNCTUATION) };
}

function warningsOf(query: Query): Warning[] {
  const stray = query.names.filter((name) => !USED.includes(name) && query.text(name) !== 'false');
  return stray.map((parameter) => ({
    parameter,
    type: 'unsupported_parameter',
    message: 'This server has no such feature: the parameter has no effect.',
  }));
}
