// What the types of the public surface promise.
import type { Duplex, Writable } from 'node:stream';
import { describe, expectTypeOf, test } from 'vitest';
import type * as api from '../src/index.js';
import {
  type AudioChunk,
  AudioError,
  type AudioSource,
  type ErrorCode,
  type HubError,
  isParakeetError,
  type LatencyOptions,
  type LiveOptions,
  type LiveTranscript,
  type LoadModelOptions,
  loadModel,
  type Model,
  type ModelError,
  type ParakeetError,
  type ParakeetOptions,
  type ParakeetStream,
  parakeet,
  type Sentence,
  type StageModel,
  type StreamStats,
  srtWriter,
  type Token,
  type TranscribeOptions,
  type TranscribeStreamOptions,
  type TranscribeWithModelOptions,
  type TranscriptEvent,
  type TranscriptResult,
  transcribe,
  type WriteError,
} from '../src/index.js';
import {
  type decode,
  type EncodedChunk,
  type encode,
  type logMel,
  type MelChunk,
  type resample,
  Stage,
  type sentences,
  type tokenDecode,
} from '../src/stages.js';

declare const model: Model;
declare const event: TranscriptEvent;
declare const error: unknown;

describe('events', () => {
  test('narrow by their type', () => {
    expectTypeOf<TranscriptEvent['type']>().toEqualTypeOf<
      | 'token'
      | 'draft'
      | 'sentence'
      | 'progress'
      | 'speechStart'
      | 'speechEnd'
      | 'endOfUtterance'
      | 'backchannel'
      | 'lag'
      | 'gap'
      | 'end'
      | 'left'
    >();
    if (event.type === 'token') expectTypeOf(event.token).toEqualTypeOf<Token>();
    if (event.type === 'draft') {
      expectTypeOf(event.tokens).toEqualTypeOf<Token[]>();
      expectTypeOf(event.text).toBeString();
      expectTypeOf(event.revision).toBeNumber();
    }
    if (event.type === 'sentence') expectTypeOf(event.sentence).toEqualTypeOf<Sentence>();
    if (event.type === 'progress') expectTypeOf(event.time).toBeNumber();
    if (event.type === 'end') {
      expectTypeOf(event.stats).toEqualTypeOf<StreamStats>();
      expectTypeOf(event.result).toEqualTypeOf<TranscriptResult | undefined>();
    }
  });

  test('of one type have no fields of another', () => {
    if (event.type === 'token') expectTypeOf(event).not.toHaveProperty('sentence');
    expectTypeOf<TranscriptEvent>().not.toHaveProperty('token');
  });
});

describe('streams', () => {
  test('parakeet() is a Duplex that iterates over events', () => {
    expectTypeOf(parakeet).parameter(0).toEqualTypeOf<ParakeetOptions | undefined>();
    expectTypeOf(parakeet()).toEqualTypeOf<ParakeetStream>();
    expectTypeOf<ParakeetStream>().toExtend<Duplex>();
    expectTypeOf(parakeet()[Symbol.asyncIterator]().next()).resolves.toExtend<
      IteratorResult<TranscriptEvent>
    >();
    const loop = async () => {
      for await (const one of parakeet()) expectTypeOf(one).toEqualTypeOf<TranscriptEvent>();
    };
    expectTypeOf(loop).toBeFunction();
  });

  test('each stage iterates over what it gives', () => {
    type Out<T> = T extends AsyncIterable<infer U> ? U : never;
    expectTypeOf<Out<ReturnType<typeof decode>>>().toEqualTypeOf<AudioChunk>();
    expectTypeOf<Out<ReturnType<typeof resample>>>().toEqualTypeOf<AudioChunk>();
    expectTypeOf<Out<ReturnType<typeof logMel>>>().toEqualTypeOf<MelChunk>();
    expectTypeOf<Out<ReturnType<typeof encode>>>().toEqualTypeOf<EncodedChunk>();
    expectTypeOf<Out<ReturnType<typeof tokenDecode>>>().toEqualTypeOf<TranscriptEvent>();
    expectTypeOf<Out<ReturnType<typeof sentences>>>().toEqualTypeOf<TranscriptEvent>();
  });

  test('a stage of one’s own is typed at both ends', () => {
    class Shout extends Stage<TranscriptEvent, TranscriptEvent> {
      protected override async process(one: TranscriptEvent): Promise<void> {
        await this.emitOne(one);
        // @ts-expect-error not an event
        await this.emitOne('text');
      }
    }
    expectTypeOf(new Shout()[Symbol.asyncIterator]().next()).resolves.toExtend<
      IteratorResult<TranscriptEvent>
    >();
  });

  test('a sink is a Writable', () => {
    expectTypeOf(srtWriter('a.srt')).toExtend<Writable>();
  });
});

describe('options', () => {
  test('know their words', () => {
    expectTypeOf<ParakeetOptions['latency']>().toEqualTypeOf<
      'low' | 'balanced' | 'accurate' | LatencyOptions | number | undefined
    >();
    expectTypeOf<ParakeetOptions['model']>().toEqualTypeOf<StageModel | string | undefined>();
    expectTypeOf<TranscribeStreamOptions['contextSize']>().toEqualTypeOf<
      readonly [left: number, right: number] | undefined
    >();
    // @ts-expect-error no such preset
    parakeet({ latency: 'fast' });
    // @ts-expect-error misspelt
    parakeet({ latancy: 'low' });
    // @ts-expect-error three numbers
    model.transcribeStream({ contextSize: [1, 2, 3] });
    // @ts-expect-error no such search
    model.transcribe('a.wav', { decoding: { type: 'beams' } });
    expectTypeOf<Model>().toExtend<NonNullable<ParakeetOptions['model']>>();
  });

  test('of loading', () => {
    expectTypeOf(loadModel).parameter(0).toEqualTypeOf<string | undefined>();
    expectTypeOf(loadModel).parameter(1).toEqualTypeOf<LoadModelOptions | undefined>();
    expectTypeOf(loadModel).returns.resolves.toEqualTypeOf<Model>();
    expectTypeOf<LoadModelOptions['signal']>().toEqualTypeOf<AbortSignal | undefined>();
    expectTypeOf<NonNullable<LoadModelOptions['onProgress']>>().parameter(0).toEqualTypeOf<{
      file: string;
      loaded: number;
      total: number;
      retryIn?: number;
    }>();
  });
});

describe('the model', () => {
  test('transcribes', () => {
    expectTypeOf(model.transcribe).parameter(0).extract<string>().toEqualTypeOf<string>();
    expectTypeOf(model.transcribe).parameter(0).extract<Float32Array>().toEqualTypeOf<Float32Array>();
    expectTypeOf(model.transcribe).parameter(1).toEqualTypeOf<TranscribeOptions | undefined>();
    expectTypeOf(model.transcribe).returns.resolves.toEqualTypeOf<TranscriptResult>();
    // @ts-expect-error not a recording
    model.transcribe(7);
  });

  test('transcribes live', () => {
    expectTypeOf(model.transcribeStream).parameter(0).toEqualTypeOf<TranscribeStreamOptions | undefined>();
    expectTypeOf(model.live).parameter(0).toEqualTypeOf<LiveOptions | undefined>();
    expectTypeOf(model.live).returns.toEqualTypeOf<LiveTranscript>();
    expectTypeOf<LiveTranscript>().toExtend<AsyncDisposable>();
    expectTypeOf<Model>().toExtend<AsyncDisposable>();
    expectTypeOf<LiveTranscript['addAudio']>().toEqualTypeOf<(samples: Float32Array) => Promise<void>>();
    expectTypeOf<LiveTranscript['finalizedTokens']>().toEqualTypeOf<readonly Token[]>();
    expectTypeOf<LiveTranscript['draftTokens']>().toEqualTypeOf<readonly Token[]>();
    expectTypeOf<LiveTranscript['result']>().toEqualTypeOf<TranscriptResult>();
  });

  test('a source to a sink in one call', () => {
    expectTypeOf(transcribe).parameter(0).toEqualTypeOf<AudioSource>();
    expectTypeOf(transcribe).parameter(1).toEqualTypeOf<TranscribeWithModelOptions | undefined>();
    expectTypeOf(transcribe).returns.resolves.toEqualTypeOf<TranscriptResult>();
  });
});

test('only factories construct their classes', () => {
  expectTypeOf<typeof api>().toHaveProperty('loadModel');
  expectTypeOf<typeof api>().not.toHaveProperty('Model');
  expectTypeOf<typeof api>().not.toHaveProperty('LiveTranscript');
  expectTypeOf<typeof api>().not.toHaveProperty('ParakeetStream');
  expectTypeOf<typeof api>().not.toHaveProperty('MergedTranscript');
  expectTypeOf<typeof api>().not.toHaveProperty('Microphone');
  expectTypeOf<typeof api>().not.toHaveProperty('DiscordVoice');
});

test('errors have a known code', () => {
  expectTypeOf<ParakeetError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf(AudioError).toBeConstructibleWith('ERR_PARAKEET_INVALID_AUDIO', 'noise');
  if (isParakeetError(error, 'ERR_PARAKEET_HUB_BUSY')) expectTypeOf(error).toEqualTypeOf<HubError>();
  if (isParakeetError(error)) expectTypeOf<typeof error.code>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<ParakeetError>().not.toHaveProperty('heard');
  expectTypeOf<AudioError['heard']>().toEqualTypeOf<TranscriptResult | undefined>();
  expectTypeOf<ModelError>().toExtend<ParakeetError>();
  expectTypeOf<HubError['retryAfter']>().toEqualTypeOf<number>();
  expectTypeOf<WriteError['needed']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<'ERR_PARAKEET_NOTHING'>().not.toExtend<ErrorCode>();
});
