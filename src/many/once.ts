/** Something that is made when it is first needed, once for all who need it. A failure is told to those who wait, and not kept. */
export class Once<T> {
  #made: Promise<T> | undefined;

  constructor(private readonly make: () => Promise<T>) {}

  /** What was made; makes it when nobody has, or when that failed. */
  get(): Promise<T> {
    this.#made ??= this.#begin();
    return this.#made;
  }

  /** What was made, for whoever closes it: undefined when nobody needed it, or it failed. */
  async made(): Promise<T | undefined> {
    return this.#made?.catch(() => undefined);
  }

  #begin(): Promise<T> {
    const making = this.make();
    making.catch(() => {
      if (this.#made === making) this.#made = undefined;
    });
    return making;
  }
}
