/**
 * Matrices as one kind of CPU multiplies them: they are mapped from the file, and need not be packed each time that a model is loaded.
 */
import type { NativeAddon, NativeDType } from '../engine/addon.js';
import type { TargetType } from './stored-types.js';

/** What the metadata of a file with packed matrices say under `packed`; another number will be another layout. */
export const PACKED_VERSION = '1';

/** Where a packed matrix begins: at a multiple of a cache line. */
export const PACKED_ALIGNMENT = 64;

/** Matrices of the encoder's layers. */
export const LAYER_MATRIX =
  /^encoder\.layers\.\d+\.(?:feed_forward\d\.linear\d|self_attn\.linear_\w+|conv\.pointwise_conv\d)\.weight$/;
/** Those that a gated linear unit follows. */
const GATED = /\.pointwise_conv1\.weight$/;
const DTYPES = { F32: 'float32', BF16: 'bfloat16', I8: 'int8' } as const satisfies Partial<
  Record<TargetType, NativeDType>
>;

/** A matrix that is to be packed. */
export interface PackedMatrix {
  dtype: NativeDType;
  rows: number;
  columns: number;
  gated: boolean;
  /** Of its layout. */
  shape: number[];
}

/** How a tensor is packed on this machine; undefined for what is no matrix of a layer. */
export function packedMatrix(
  addon: NativeAddon,
  name: string,
  shape: readonly number[],
  target: TargetType,
): PackedMatrix | undefined {
  if (!LAYER_MATRIX.test(name) || !(target in DTYPES)) return undefined;
  const dtype = DTYPES[target as keyof typeof DTYPES];
  const rows = shape[0] as number;
  const columns = shape.slice(1).reduce((product, n) => product * n, 1);
  const gated = GATED.test(name);
  const packed = addon.packedShape(dtype, rows, columns, gated);
  return packed === null ? undefined : { dtype, rows, columns, gated, shape: packed };
}
