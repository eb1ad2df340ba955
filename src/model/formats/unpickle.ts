/**
 * Python's pickle, read as a description and never run as a program: a file may only name what the caller knows; everything else is
 * refused. (An unpickler that follows every name runs whatever is in an untrusted file of weights.) Opcodes of protocols 2 to 4, as
 * `torch.save` writes them; CPython's `Lib/pickletools.py` lists them.
 */

/** What a pickle may name, and what each name becomes. */
export interface Names {
  /** A class or function by `module.name`; throws for names that are not allowed. */
  global(name: string): unknown;
  /** The result of calling a result of `global`. */
  call(callee: unknown, args: readonly unknown[]): unknown;
  /** An object kept outside the pickle. */
  persistent(id: unknown): unknown;
}

const MARK = Symbol('mark');
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a pickle. Dictionaries become Maps, tuples and lists arrays. Throws an `Error` that says what is wrong. */
export function unpickle(bytes: Buffer, names: Names): unknown {
  return new Unpickler(bytes, names).run();
}

class Unpickler {
  readonly names: Names;
  readonly memo = new Map<number, unknown>();
  readonly stack: unknown[] = [];
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, names: Names) {
    this.#bytes = bytes;
    this.names = names;
  }

  run(): unknown {
    for (;;) {
      const code = this.byte();
      if (code === STOP) return this.pop();
      const opcode = OPCODES.get(code);
      if (!opcode) {
        const where = `0x${code.toString(16)} at byte ${this.#at - 1}`;
        throw new Error(`it has the opcode ${where}, which no checkpoint needs`);
      }
      opcode(this);
    }
  }

  take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Error('it is cut short');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw new Error('it is cut short');
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  remember(key: number): void {
    this.memo.set(key, this.stack.at(-1));
  }

  text(length: number): string {
    return decoder.decode(this.take(length));
  }

  fill(list: readonly unknown[]): void {
    const top = this.top(Array);
    for (const item of list) top.push(item);
  }

  set(items: readonly unknown[]): void {
    const top = this.top(Map);
    for (let i = 0; i + 1 < items.length; i += 2) top.set(items[i], items[i + 1]);
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    if (!Array.isArray(args)) throw new Error('it makes a call without arguments');
    this.push(this.names.call(callee, args));
  }

  stackGlobal(): void {
    const [module, name] = this.popMany(2);
    this.push(this.names.global(`${String(module)}.${String(name)}`));
  }

  /** A little-endian number in two's complement. */
  long(length: number): number {
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i] as number);
    return Number(BigInt.asIntN(8 * Math.max(1, length), value));
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new Error('it takes more than there is');
    return this.stack.pop();
  }

  popMany(count: number): unknown[] {
    if (this.stack.length < count) throw new Error('it takes more than there is');
    return this.stack.splice(this.stack.length - count);
  }

  toMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error('a mark is missing');
    const items = this.stack.splice(mark);
    return items.slice(1);
  }

  top<T>(type: abstract new (...args: never[]) => T): T {
    const top = this.stack.at(-1);
    if (top instanceof type) return top;
    throw new Error('it fills what is no container');
  }

  remembered(key: number): unknown {
    if (this.memo.has(key)) return this.memo.get(key);
    throw new Error(`it recalls what it never remembered (${key})`);
  }
}

const STOP = 0x2e;

const OPCODES = new Map<number, (machine: Unpickler) => void>([
  [0x80, (m) => m.byte()], // PROTO
  [0x95, (m) => m.take(8)], // FRAME
  [0x28, (m) => m.push(MARK)], // MARK
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.take(4).readInt32LE())], // BININT
  [0x4b, (m) => m.push(m.byte())], // BININT1
  [0x4d, (m) => m.push(m.take(2).readUInt16LE())], // BININT2
  [0x8a, (m) => m.push(m.long(m.byte()))], // LONG1
  [0x47, (m) => m.push(m.take(8).readDoubleBE())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.take(4).readUInt32LE()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.byte()))], // SHORT_BINUNICODE
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x29, (m) => m.push([])], // EMPTY_TUPLE
  [0x74, (m) => m.push(m.toMark())], // TUPLE
  [0x85, (m) => m.push(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.push(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.push(m.popMany(3))], // TUPLE3
  [0x61, (m) => m.fill([m.pop()])], // APPEND
  [0x65, (m) => m.fill(m.toMark())], // APPENDS
  [0x73, (m) => m.set(m.popMany(2))], // SETITEM
  [0x75, (m) => m.set(m.toMark())], // SETITEMS
  [0x71, (m) => m.remember(m.byte())], // BINPUT
  [0x72, (m) => m.remember(m.take(4).readUInt32LE())], // LONG_BINPUT
  [0x94, (m) => m.remember(m.memo.size)], // MEMOIZE
  [0x68, (m) => m.push(m.remembered(m.byte()))], // BINGET
  [0x6a, (m) => m.push(m.remembered(m.take(4).readUInt32LE()))], // LONG_BINGET
  [0x63, (m) => m.push(m.names.global(`${m.line()}.${m.line()}`))], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x51, (m) => m.push(m.names.persistent(m.pop()))], // BINPERSID
  [0x52, (m) => m.reduce()], // REDUCE
  [0x62, (m) => m.pop()], // BUILD: attributes that are not needed, such as a state dictionary's `_metadata`
]);
