/**
 * What the promises know of a recogniser. An adapter is a module of some fifty lines whose default export makes one.
 *
 * @typedef {object} Token A piece of text that is final.
 * @property {string} text as it is appended to the transcript
 * @property {number} start seconds
 * @property {number} end seconds
 *
 * @typedef {object} Session One stream.
 * @property {(samples: Float32Array) => Promise<void>} push mono, in [-1, 1]; resolves when what it made due is computed
 * @property {() => readonly Token[]} finals everything that will not change any more
 * @property {() => Promise<readonly Token[]>} finish the audio is over: the whole transcript
 * @property {() => Promise<void>} close at any time, also while a call is under way, and after `finish`
 * @property {() => Promise<Uint8Array>} [snapshot]
 *
 * @typedef {object} Adapter
 * @property {string} name and version
 * @property {string} module URL of the adapter's module, for promises that need a process of their own
 * @property {number} sampleRate
 * @property {Float32Array} speech a few seconds that give tokens
 * @property {(snapshot?: Uint8Array) => Session} open
 * @property {boolean} [untrained] the weights are random: all sound is alike to it
 * @property {boolean} [snapshots] sessions have `snapshot`, and `open` takes one
 * @property {(samples: Float32Array) => Promise<{ streamed: string[], offline: string[] }>} [offline] the words of a stream that sees
 *   everything, and of the same audio offline
 * @property {(source: Iterable<Float32Array>) => Promise<{ read: () => Promise<{ tokens: Token[], error?: Error }>, close: () => Promise<void> }>} [pipe]
 *   a source that is read by a stream of tokens; nothing is read from that before `read`
 * @property {() => Promise<number>} [alive] sessions that still hold native state
 * @property {() => Promise<void>} close
 */

/** A promise that cannot be measured on this recogniser: thrown by a check. */
export class Unmeasured extends Error {}
