import { OwnError } from "../../errors.ts";
import { listed, show } from "../../options.ts";
import { ATTRIBUTE_TYPE, type AttributeProto, type NodeProto } from "./proto.ts";
import { readTensor } from "./tensorData.ts";
import type { Constant } from "./values.ts";

/** What a file asks for and nobody here does: collected over all nodes, so that one error tells all of it. */
export class Unsupported extends OwnError {}

/**
 * What the entry of the package does without and `operators/rare.ts` has: forms that nets for images seldom take, so that
 * those who load others download no code for them. Whoever meets it draws the graph again with the larger set.
 */
export class Rare extends Error {}

/** A node as operators read it: its attributes by name and type. Those that nobody reads are unsupported. */
export class Attributes {
  /** The version of ONNX's operators that the file is written for. */
  readonly version: number;
  readonly #byName: Map<string, AttributeProto>;
  readonly #read = new Set<string>();

  constructor({ attributes }: NodeProto, version: number) {
    this.version = version;
    this.#byName = new Map(attributes.map((attribute) => [attribute.name, attribute]));
    if (this.#byName.size < attributes.length) {
      const names = attributes.map(({ name }) => name);
      throw new Unsupported(`expected attributes with names of their own, got ${listed(names)}`);
    }
  }

  #find(name: string, types: readonly number[]): AttributeProto | undefined {
    this.#read.add(name);
    const attribute = this.#byName.get(name);
    // Files of the first versions leave the type out.
    if (attribute && attribute.type !== 0 && !types.includes(attribute.type)) {
      throw new Unsupported(`${name}: expected an attribute of another type, got type ${attribute.type}`);
    }
    return attribute;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, absent: number): number;
  int(name: string, absent?: undefined): number | undefined;
  int(name: string, absent?: number): number | undefined {
    const attribute = this.#find(name, [ATTRIBUTE_TYPE.int]);
    return attribute ? (attribute.i ?? 0) : absent;
  }

  float(name: string, absent: number): number {
    const attribute = this.#find(name, [ATTRIBUTE_TYPE.float]);
    return attribute ? (attribute.f ?? 0) : absent;
  }

  /** @throws Unsupported unless it is one of `choices`; the first is the one where none is given. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const attribute = this.#find(name, [ATTRIBUTE_TYPE.string]);
    if (!attribute) return choices[0];
    if (choices.includes(attribute.s as T)) return attribute.s as T;
    throw new Unsupported(`${name}: expected one of ${listed(choices)}; got ${show(attribute.s)}`);
  }

  ints(name: string): readonly number[] | undefined {
    return this.#find(name, [ATTRIBUTE_TYPE.ints])?.ints;
  }

  /** So many integers, none below `least`, which all are where none are given. @throws Unsupported */
  list(name: string, length: number, least: number): readonly number[] {
    const values = this.ints(name) ?? Array.from({ length }, () => least);
    if (values.length === length && values.every((value) => value >= least)) return values;
    throw new Unsupported(`${name}: expected ${length} integers ≥ ${least}, got [${listed(values)}]`);
  }

  floats(name: string): readonly number[] | undefined {
    return this.#find(name, [ATTRIBUTE_TYPE.floats])?.floats;
  }

  tensor(name: string): Constant | undefined {
    const proto = this.#find(name, [ATTRIBUTE_TYPE.tensor])?.t;
    return proto && readTensor(name, proto);
  }

  /** Takes note of attributes that mean nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws Unsupported when there are attributes that nobody read */
  checkAllRead(): void {
    const unread = [...this.#byName.keys()].filter((name) => !this.#read.has(name));
    if (unread.length > 0) throw new Unsupported(`attributes that are not known here: ${listed(unread)}`);
  }
}
