/** Names of layers and inputs, each once. */
export class Names {
  /** The names in use, each with the last number that was put behind it. */
  readonly #last = new Map<string, number>();

  /** A name that nothing has yet: this one, or with a number behind it. */
  unique(base: string): string {
    let [name, last] = [base, this.#last.get(base) ?? 0];
    while (this.#last.has(name)) name = `${base}_${++last}`;
    this.#last.set(name, 0).set(base, last);
    return name;
  }
}

/** A name of the file in the letters that layers and inputs may be called by. */
export function nameFrom(wanted: string): string {
  // Without underscores in front no name means anything to an object.
  return wanted.replace(/[^\w-]+/g, "_").replace(/^_+/, "") || "node";
}
