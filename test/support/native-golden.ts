// A golden model in the native engine, loaded past src/model's checks: for tests of the engine alone.
import { readFileSync } from 'node:fs';
import type {
  NativeAddon,
  NativeDType,
  NativeHead,
  NativeModel,
  NativeModelConfig,
  NativeModelInfo,
  NativeTensor,
} from '../../src/engine/addon.js';
import { loadAddon } from '../../src/engine/load-addon.js';
import {
  type MelConfig,
  type ReferenceModel,
  readReferenceModel,
  vector,
  weight,
} from '../reference/model.js';
import { type Architecture, goldenFolder } from './goldens.js';

export interface NativeGolden {
  addon: NativeAddon;
  native: NativeModel;
  reference: ReferenceModel;
  info: Pick<NativeModelInfo, 'hop' | 'subsamplingFactor' | 'sampleRate' | 'features'>;
  /** The model's own head. */
  head: NativeHead;
}

/**
 * Loads a golden model, or one like it in another folder, into the engine and as the reference, both with another front end if
 * `mel` says so. Close `native` when done.
 */
export async function loadNativeGolden(
  architecture: Architecture,
  dtype: NativeDType = 'float32',
  {
    mel = {},
    folder = goldenFolder(architecture),
    threads = 1,
  }: { mel?: Partial<MelConfig>; folder?: string; threads?: number } = {},
): Promise<NativeGolden> {
  const addon = loadAddon();
  const golden = readReferenceModel(folder);
  const reference = { ...golden, mel: { ...golden.mel, ...mel } };
  const path = `${folder}/model.safetensors`;
  const native = await addon.loadModel(configOf(reference, architecture), tensorsOf(path), {
    dtype,
    threads,
    job: 0,
  });
  const { hop, sampleRate, features } = reference.mel;
  return {
    addon,
    native,
    reference,
    info: { hop, sampleRate, features, subsamplingFactor: reference.encoder.subsamplingFactor },
    head: architecture === 'ctc' ? 'ctc' : architecture === 'rnnt' ? 'rnnt' : 'tdt',
  };
}

function configOf(model: ReferenceModel, architecture: Architecture): NativeModelConfig {
  const { mel, encoder } = model;
  const transducer = architecture !== 'ctc';
  return {
    architecture,
    preprocessor: {
      sampleRate: mel.sampleRate,
      windowLength: mel.window,
      hop: mel.hop,
      fftLength: mel.fftSize,
      features: mel.features,
      preemphasis: 0.97,
      window: 'hann',
      normalize: true,
    },
    encoder: {
      layers: encoder.layers,
      dModel: encoder.dModel,
      heads: encoder.heads,
      feedForward: weight(model, 'encoder.layers.0.feed_forward1.linear1.weight').rows,
      subsamplingFactor: encoder.subsamplingFactor,
      subsamplingChannels: vector(model, 'encoder.pre_encode.conv.0.bias').length,
      convKernel: encoder.convKernel,
      useBias: model.weights.has('encoder.layers.0.self_attn.linear_q.bias'),
      xscaling: encoder.xscaling,
      causal: false,
    },
    ...(transducer
      ? {
          predictor: {
            hidden: weight(model, 'decoder.prediction.embed.weight').columns,
            layers: model.predictorLayers,
          },
          joint: { hidden: vector(model, 'joint.enc.bias').length, activation: model.jointActivation },
        }
      : {}),
    vocabularySize: model.vocabulary.length,
    durations: model.durations,
    maxSymbols: model.maxSymbols,
  };
}

function tensorsOf(path: string): NativeTensor[] {
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString('utf8')) as Record<
    string,
    { dtype: NativeTensor['dtype']; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => ({
        name,
        path,
        dtype,
        shape,
        offset: 8 + length + begin,
        bytes: end - begin,
      }),
    );
}
