/** Work that is under way, and is waited for one by one: as it was begun, or as it gets done. */
export class InHand<T> {
  readonly #turns: Promise<T>[] = [];
  /** With order `'done'`: the turns that nothing has settled for yet. */
  readonly #free: ((settled: Promise<T>) => void)[] = [];

  constructor(private readonly order: 'begun' | 'done') {}

  get size(): number {
    return this.#turns.length;
  }

  add(work: Promise<T>): void {
    const turn = this.order === 'begun' ? work : new Promise<T>((resolve) => this.#free.push(resolve));
    const take = () => this.#free.shift()?.(work);
    if (this.order === 'done') work.then(take, take);
    // It is reported when its turn comes.
    turn.catch(() => {});
    this.#turns.push(turn);
  }

  /** The next one, which is in hand no more. Rejects as it does. */
  next(): Promise<T> {
    const [turn] = this.#turns.splice(0, 1);
    if (!turn) throw new RangeError('Nothing is in hand');
    return turn;
  }

  /** Resolves when all are over, whatever became of them. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#turns);
  }
}
