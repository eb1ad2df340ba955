/** A draft model's part in a live transcript: its session, and what of its words goes on after the final ones. */
import type { Token } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { isCacheAware } from '../model/cache-aware.js';
import { draftBoost } from '../model/draft-model.js';
import type { StageModel } from '../model/stage-model.js';
import { DraftTail } from '../text/draft-tail.js';
import { ModelSession, type SessionOptions } from './model-session.js';
import type { SnapshotState } from './snapshot.js';

export class DraftSession {
  readonly session: ModelSession;
  readonly #model: StageModel;
  #options: SessionOptions;
  readonly #tail = new DraftTail();

  /** @throws {@link ArgumentError} for options that the model does not support. */
  constructor(model: StageModel, options: SessionOptions) {
    this.#model = model;
    this.#options = options;
    this.session = new ModelSession(model, options, {
      drafts: !isCacheAware(model.info),
      onStep: ({ final, draft }) => this.#tail.hear(final, draft),
    });
  }

  /** The words after the last final one. */
  get tokens(): readonly Token[] {
    return this.#tail.next();
  }

  /** A step of the accurate model: its final tokens, and the time before which everything is final. */
  follow(final: readonly Token[], time: number): void {
    for (const token of final) this.#tail.final(token);
    this.#tail.advance(time);
  }

  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    const own = draftBoost(this.#model.info, boost);
    await this.session.setBoost(own);
    this.#options = { ...this.#options, decoding: { ...this.#options.decoding, boost: own } };
  }

  /** All that both models have heard is final. */
  settle(): void {
    this.#tail.settle(this.#tail.position);
  }

  get state(): NonNullable<SnapshotState['drafts']> {
    return { options: this.#options, placer: this.session.placer, tail: this.#tail.state };
  }

  set state({ placer, tail }: NonNullable<SnapshotState['drafts']>) {
    this.session.placer = placer;
    this.#tail.state = tail;
  }
}
