/** One thing after the other: whoever changes a room waits until the one before has saved. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `act` when all before it are done, whether they failed or not. */
  run<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const done = this.#tail.then(act);
    this.#tail = done.catch(() => {});
    return done;
  }

  /** Resolves when nothing that was asked for until now is left. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
