/**
 * From a name to a loaded model: finds the folder, checks its config and the index of its weights, and has the engine read them.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { abortedBy } from './abort.js';
import { isBundled, namedModel } from './bundled-model.js';
import type { NativeDType, NativeModelInfo } from './engine/addon.js';
import { checkDevice, decideDevice } from './engine/device.js';
import { runJob } from './engine/jobs.js';
import { loadAddon } from './engine/load-addon.js';
import type { HubProgress } from './hub/hub.js';
import { type Calibrations, readCalibrations } from './model/confidence.js';
import { type ModelConfig, readConfig } from './model/config.js';
import type { ModelFiles } from './model/formats/model-files.js';
import { openModel } from './model/open-model.js';
import { readPrior } from './model/prior.js';
import { Model } from './model.js';
import { expected, integer, known, oneOf, optionalBoolean, optionalSignal } from './options.js';

/** Bytes at the beginning of the weights that identify a model: their index and some of their values. */
const IDENTITY_BYTES = 1 << 20;

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  /**
   * Type that the weights are kept in and the encoder's products are computed in; sums and intermediate values are float32. `'bfloat16'`
   * halves the memory and is fast if the CPU multiplies it (AVX512-BF16, AMX) and on GPUs; elsewhere it takes about as much time as
   * float32. `'int8'` (weights scaled for each channel, activations for each row) takes a quarter of the memory and is the fastest if the
   * CPU has VNNI or AMX; it may change a few words. `'int4'` is int8 with the weights of the feed-forward layers and of the
   * attention in four bits: three quarters of int8's memory, faster for a single live stream on CPUs with AVX-512 VNNI, and some words in a
   * hundred are others; on a GPU it is int8. `'auto'` takes bfloat16 if it is fast, else float32, and for weights that were converted to
   * int8 or int4 that.
   * @defaultValue `'auto'`
   */
  dtype?: 'auto' | NativeDType | undefined;
  /**
   * The device to compute on, for the whole process: the first model loaded decides. `'auto'` takes a GPU if the addon was built for one
   * and it is there.
   * @defaultValue `PARAKEET_DEVICE`, else `'auto'`
   */
  device?: 'auto' | 'cpu' | 'gpu' | undefined;
  /**
   * CPU threads, 1 to 1024; the first model loaded decides for the process.
   * @defaultValue all cores
   */
  threads?: number | undefined;
  /**
   * Run the model once before it is returned, so that no stream waits for kernels to be compiled: on a GPU a minute the first time, seconds
   * later (they are kept on disk). Without effect on a CPU.
   * @defaultValue true
   */
  warmUp?: boolean | undefined;
  /** Cancels loading. */
  signal?: AbortSignal | undefined;
  /**
   * Branch, tag or commit of a repository on the hub.
   * @defaultValue `'main'`
   */
  revision?: string | undefined;
  /**
   * The folder for repositories of the hub.
   * @defaultValue Hugging Face's own cache
   */
  cacheDir?: string | undefined;
  /**
   * Take models of the hub only from the cache.
   * @defaultValue as `HF_HUB_OFFLINE` says
   */
  offline?: boolean | undefined;
  /**
   * Token for private repositories of the hub.
   * @defaultValue `HF_TOKEN`
   */
  token?: string | undefined;
  /** Called while a repository is downloaded from the hub. */
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

const keys = [
  'dtype',
  'device',
  'threads',
  'warmUp',
  'signal',
  'revision',
  'cacheDir',
  'offline',
  'token',
  'onProgress',
];

/**
 * Loads a model. `name` is one of:
 *
 * - a folder of parakeet-mlx or of Hugging Face transformers: `config.json` and `model.safetensors`, in one file or several;
 * - one of NVIDIA's archives (`.nemo`);
 * - the id of a Hugging Face repository that holds either, which is downloaded once.
 *
 * Call `close()` when no stream needs the model any more.
 *
 * @param name Without it: the model that `PARAKEET_MODEL` names, else the bundled `parakeet-tiny-en`.
 * @throws {@link ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND`, `ERR_PARAKEET_INVALID_CONFIG`, `ERR_PARAKEET_INVALID_WEIGHTS`,
 * `ERR_PARAKEET_UNSUPPORTED_MODEL`. @throws {@link ArgumentError} for invalid options. @throws {@link NativeError} when the addon cannot be
 * loaded. @throws {@link HubError} and @throws {@link WriteError} when a model cannot be downloaded. @throws {@link DependencyError} without
 * `@huggingface/hub` for a repository. @throws {@link AbortedError} when `signal` is aborted. All as rejections.
 *
 * @example
 * ```js
 * import { loadModel } from 'parakeet-stream';
 *
 * const model = await loadModel();
 * console.log(model.info.architecture, model.info.dtype);
 * await model.close();
 * ```
 */
export async function loadModel(name?: string, options: LoadModelOptions = {}): Promise<Model> {
  known('loadModel', options, keys);
  if (name !== undefined && typeof name !== 'string') {
    throw expected("a folder's or a repository's name", 'name', name);
  }
  const wanted = oneOf('dtype', options.dtype ?? 'auto', ['auto', 'float32', 'bfloat16', 'int8', 'int4']);
  const wantedDevice = checkDevice('device', options.device);
  const threads = options.threads === undefined ? 0 : integer('threads', options.threads, 1, 1024);
  const signal = optionalSignal('signal', options.signal);
  optionalBoolean('offline', options.offline);
  optionalBoolean('warmUp', options.warmUp);
  if (options.token !== undefined && typeof options.token !== 'string')
    throw expected('a token', 'token', typeof options.token);
  const addon = loadAddon();
  const device = decideDevice(addon, wantedDevice);
  const build = addon.build();
  const folder = namedModel(name);
  const files = await openModel(folder, options);
  try {
    const config = readConfig(files.config, files.configFile);
    const dtype = wanted === 'auto' ? bestType(files, build.nativeBfloat16) : wanted;
    const { features } = config.native.preprocessor;
    const prior = files.prior === undefined ? undefined : await readPrior(files.prior, features);
    const calibrations =
      files.calibrations === undefined ? undefined : await readCalibrations(files.calibrations);
    const native = await runJob(addon, signal, (job) =>
      addon.loadModel(config.native, files.tensors, {
        dtype,
        threads,
        warmUp: device === 'gpu' && options.warmUp !== false,
        job,
      }),
    );
    // The abort may come when the engine is done but its answer is still on the way.
    if (signal?.aborted) {
      await native.close();
      throw abortedBy(signal);
    }
    const { languageModel } = files;
    const info = {
      ...describe(config, device, dtype),
      ...(prior && { prior }),
      ...(languageModel !== undefined && { languageModel, usesLanguageModel: isBundled(folder) }),
      ...(calibrations && { calibrations }),
    };
    return new Model(native, info, addon, await identify(files, calibrations));
  } finally {
    await files.dispose();
  }
}

/** Weights stored as bytes are computed as bytes; otherwise the fastest type here. */
function bestType({ tensors }: ModelFiles, nativeBfloat16: boolean): NativeDType {
  if (tensors.some((tensor) => tensor.dtype === 'I4')) return 'int4';
  if (tensors.some((tensor) => tensor.dtype === 'I8')) return 'int8';
  return nativeBfloat16 ? 'bfloat16' : 'float32';
}

/** Identifies a model: a checksum of the configuration, of the calibration, of the beginning of the weights, and of their size. */
async function identify(
  { config, tensors }: ModelFiles,
  calibrations: Calibrations | undefined,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  // What was measured in another way is another result.
  if (calibrations) hash.update(JSON.stringify(calibrations));
  const first = Buffer.alloc(IDENTITY_BYTES);
  for (const name of new Set(tensors.map((tensor) => tensor.path))) {
    const file = await open(name, 'r');
    try {
      const { size } = await file.stat();
      const { bytesRead } = await file.read(first, 0, Math.min(size, IDENTITY_BYTES), 0);
      hash.update(String(size)).update(first.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }
  return hash.digest('hex').slice(0, 16);
}

function describe(
  { native, vocabulary, attention, contexts, chunkLeft, prompts }: ModelConfig,
  device: 'cpu' | 'gpu',
  dtype: NativeDType,
): NativeModelInfo {
  return {
    architecture: native.architecture,
    sampleRate: native.preprocessor.sampleRate,
    hop: native.preprocessor.hop,
    features: native.preprocessor.features,
    subsamplingFactor: native.encoder.subsamplingFactor,
    layers: native.encoder.layers,
    dModel: native.encoder.dModel,
    convKernel: native.encoder.convKernel,
    vocabulary,
    durations: native.durations,
    attention,
    contexts,
    ...(chunkLeft !== undefined && { chunkLeft }),
    prompts,
    dtype,
    device,
  };
}
