/**
 * The mel frames of `logMel` on their way to `encode`: native until something reads them. What happens to them is up to the stages.
 */
import type { NativeFrames } from '../engine/addon.js';
import type { MelChunk, SpeechChange } from '../events.js';

/** A chunk whose `data` is copied out of the engine when it is first read. From then on it is an ordinary chunk. */
export class NativeMelChunk implements MelChunk {
  #native: NativeFrames | undefined;
  #data: Float32Array | undefined;
  declare data: Float32Array;
  frames: number;
  declare speech?: SpeechChange[];
  declare end?: { samples: number };

  /**
   * An own accessor of each object, so that `{ ...chunk }` has the data too; one shared function, since objects of one shape are cheap to
   * make.
   */
  static readonly #accessor: PropertyDescriptor & ThisType<NativeMelChunk> = {
    enumerable: true,
    configurable: true,
    get() {
      // A caller that has the data may write to it, so the native frames are no longer valid.
      this.#data ??= this.#native?.data() ?? new Float32Array(0);
      this.#native = undefined;
      return this.#data;
    },
    set(data: Float32Array) {
      this.#native = undefined;
      this.#data = data;
    },
  };

  constructor(
    native: NativeFrames,
    public features: number,
    public firstFrame: number,
    { speech = [], end }: { speech?: SpeechChange[]; end?: { samples: number } | undefined } = {},
  ) {
    this.#native = native;
    this.frames = native.rows;
    Object.defineProperty(this, 'data', NativeMelChunk.#accessor);
    if (speech.length > 0) this.speech = speech;
    if (end) this.end = end;
  }

  /** What a native session takes as the frames of `chunk`: the native ones, as long as they equal `data`. */
  static frames(chunk: MelChunk): NativeFrames | Float32Array {
    return (#native in chunk ? chunk.#native : undefined) ?? chunk.data;
  }
}
