/** Where the audio of a stream with a draft model is branched off: it passes unchanged, and goes to the draft model's line too. */
import type { AudioChunk } from '../events.js';
import { Stage } from '../transforms/stage.js';
import type { DraftLine } from './draft-line.js';

export class DraftFork extends Stage<AudioChunk, AudioChunk> {
  readonly #draft: DraftLine;
  /** The draft model has failed, and no more audio passes. */
  #over = false;

  constructor(draft: DraftLine) {
    super();
    this.#draft = draft;
    // As if the input had failed: everything that came before is made final first, then the stream fails.
    draft.onError((error) => {
      this.#over = true;
      this.failLate(error);
    });
  }

  protected override async process(chunk: AudioChunk): Promise<void> {
    // First the draft model, whose words are urgent; it is what fills up last.
    await this.#draft.write(chunk);
    if (!this.#over) await this.emitOne(chunk);
  }

  protected override async flushHeld(): Promise<void> {
    this.#draft.flush();
  }

  protected override async finish(): Promise<void> {
    this.#draft.end();
  }
}
