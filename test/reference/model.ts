// A model folder as the reference reads it: the config's numbers and the weights by name.
// No checks beyond "it is there": only the golden models come here.
import { readFileSync } from 'node:fs';
import { readSafetensors, type Tensor } from '../support/safetensors.js';
import { Matrix } from './matrix.js';

export interface MelConfig {
  sampleRate: number;
  features: number;
  fftSize: number;
  window: number;
  hop: number;
}

interface EncoderConfig {
  layers: number;
  dModel: number;
  heads: number;
  convKernel: number;
  subsamplingFactor: number;
  xscaling: boolean;
  /** Cache-aware: nothing sees what comes later, but attention the rest of its chunk. */
  causal: boolean;
}

export interface ReferenceModel {
  mel: MelConfig;
  encoder: EncoderConfig;
  vocabulary: string[];
  /** TDT durations in frames; empty for RNNT and CTC. */
  durations: number[];
  maxSymbols: number;
  predictorLayers: number;
  jointActivation: 'relu' | 'tanh' | 'sigmoid';
  weights: Map<string, Tensor>;
  /** Weights that were asked for as matrices already. */
  matrices: Map<string, Matrix>;
}

interface ConfigFile {
  preprocessor: {
    sample_rate: number;
    features: number;
    n_fft: number;
    window_size: number;
    window_stride: number;
  };
  encoder: {
    n_layers: number;
    d_model: number;
    n_heads: number;
    conv_kernel_size: number;
    subsampling_factor: number;
    xscaling: boolean;
    causal_downsampling?: boolean;
  };
  decoder: { prednet?: { pred_rnn_layers: number }; vocabulary?: string[] };
  joint?: { vocabulary: string[]; jointnet: { activation: 'relu' | 'tanh' | 'sigmoid' } };
  decoding: { durations?: number[]; greedy?: { max_symbols?: number } };
}

export function readReferenceModel(folder: string): ReferenceModel {
  const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as ConfigFile;
  const { preprocessor, encoder, decoder, joint, decoding } = config;
  return {
    mel: {
      sampleRate: preprocessor.sample_rate,
      features: preprocessor.features,
      fftSize: preprocessor.n_fft,
      window: Math.round(preprocessor.window_size * preprocessor.sample_rate),
      hop: Math.round(preprocessor.window_stride * preprocessor.sample_rate),
    },
    encoder: {
      layers: encoder.n_layers,
      dModel: encoder.d_model,
      heads: encoder.n_heads,
      convKernel: encoder.conv_kernel_size,
      subsamplingFactor: encoder.subsampling_factor,
      xscaling: encoder.xscaling,
      causal: encoder.causal_downsampling ?? false,
    },
    vocabulary: joint?.vocabulary ?? decoder.vocabulary ?? [],
    durations: decoding.durations ?? [],
    maxSymbols: decoding.greedy?.max_symbols ?? 10,
    predictorLayers: decoder.prednet?.pred_rnn_layers ?? 0,
    jointActivation: joint?.jointnet.activation ?? 'relu',
    weights: readSafetensors(`${folder}/model.safetensors`),
    matrices: new Map(),
  };
}

/** A weight as a matrix of `shape[0]` rows, whatever its further dimensions. */
export function weight(model: ReferenceModel, name: string): Matrix {
  const known = model.matrices.get(name);
  if (known !== undefined) return known;
  const tensor = model.weights.get(name);
  if (tensor === undefined) throw new Error(`No weight ${name}`);
  const rows = tensor.shape[0] ?? 1;
  const matrix = new Matrix(rows, tensor.data.length / rows, tensor.data);
  model.matrices.set(name, matrix);
  return matrix;
}

export function vector(model: ReferenceModel, name: string): Float32Array {
  const tensor = model.weights.get(name);
  if (tensor === undefined) throw new Error(`No weight ${name}`);
  return tensor.data;
}

/** A bias that the config may leave out. */
export function optionalVector(model: ReferenceModel, name: string): Float32Array | undefined {
  return model.weights.get(name)?.data;
}
