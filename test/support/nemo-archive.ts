/**
 * Archives as NeMo's `save_to` writes them: a tar of a YAML file and a checkpoint of `torch.save`, which is a zip archive of a pickle and one file for
 * each storage. Enough of the three formats for vectors of numbers.
 */

/** A vector of a state dictionary; `parameter`: torch.nn.Parameter, else a buffer. */
export interface Vector {
  name: string;
  values: Float32Array | Int32Array | BigInt64Array;
  parameter?: boolean;
  columns?: number;
}

export function nemoArchive(config: Record<string, unknown>, vectors: readonly Vector[]): Buffer {
  const yaml = Object.entries(config)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
  return tar({ './model_config.yaml': Buffer.from(yaml), './model_weights.ckpt': checkpoint(vectors) });
}

function checkpoint(vectors: readonly Vector[]): Buffer {
  const files: Record<string, Buffer> = { 'archive/data.pkl': pickle(vectors) };
  for (const [i, { values }] of vectors.entries())
    files[`archive/data/${i}`] = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return zip({ ...files, 'archive/version': Buffer.from('3\n') });
}

const STORAGE = {
  Float32Array: 'FloatStorage',
  Int32Array: 'IntStorage',
  BigInt64Array: 'LongStorage',
} as const;

/** Protocol 2: `OrderedDict([(name, tensor) …])`. */
function pickle(vectors: readonly Vector[]): Buffer {
  const global = (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`);
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head[0] = 0x58;
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };
  const whole = (value: number) => {
    const bytes = Buffer.alloc(5);
    bytes[0] = 0x4a;
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const code = (...bytes: number[]) => Buffer.from(bytes);
  const [MARK, TUPLE, EMPTY, REDUCE, PERSISTENT, FALSE, ITEMS] = [0x28, 0x74, 0x29, 0x52, 0x51, 0x89, 0x75];
  const tuple = (...parts: Buffer[]) => Buffer.concat([code(MARK), ...parts, code(TUPLE)]);
  const dictionary = Buffer.concat([global('collections', 'OrderedDict'), code(EMPTY, REDUCE)]);
  const tensor = ({ values, parameter, columns }: Vector, i: number) => {
    const kind = STORAGE[values.constructor.name as keyof typeof STORAGE];
    const id = tuple(
      text('storage'),
      global('torch', kind),
      text(String(i)),
      text('cpu'),
      whole(values.length),
    );
    const shape = columns ? [whole(values.length / columns), whole(columns)] : [whole(values.length)];
    const stride = columns ? [whole(columns), whole(1)] : [whole(1)];
    const view = [id, code(PERSISTENT), whole(0), tuple(...shape), tuple(...stride), code(FALSE), dictionary];
    const built = [global('torch._utils', '_rebuild_tensor_v2'), tuple(...view), code(REDUCE)];
    if (!parameter) return Buffer.concat(built);
    const wrapped = [...built, code(0x88), dictionary];
    return Buffer.concat([global('torch._utils', '_rebuild_parameter'), tuple(...wrapped), code(REDUCE)]);
  };
  const items = vectors.flatMap((vector, i) => [text(vector.name), tensor(vector, i)]);
  return Buffer.concat([code(0x80, 2), dictionary, code(MARK), ...items, code(ITEMS, 0x2e)]);
}

/** Stored, not compressed, without checksums. */
function zip(files: Record<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt32LE(content.length, 22);
    head.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(content.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(head, Buffer.from(name), content);
    at += head.length + name.length + content.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function tar(files: Record<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, content] of Object.entries(files)) {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    head.fill(' ', 148, 156);
    head.write('0', 156);
    head.write('ustar\0' + '00', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(head, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
