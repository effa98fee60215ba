import { OwnError } from "../../errors.ts";
import { listed, show } from "../../options.ts";
import { ATTRIBUTE_TYPE, type AttributeProto, type NodeProto } from "../file/proto.ts";
import { readTensor } from "../file/tensorData.ts";
import type { Constant } from "../file/constant.ts";

/**
 * Something that a file asks for and nobody here does. It is collected over all nodes, so that one error names all of
 * it.
 */
export class Unsupported extends OwnError {}

/** The same, of what no shapes or numbers of the net's inputs would change. */
export class UnknownForm extends Unsupported {}

/** Thrown by one form of an operator for what another form of it computes, which is tried then. */
export class OtherForm extends Unsupported {
  constructor() {
    super("expected a form of the operator that is computed here, got another");
  }
}

/**
 * The types that an attribute is of: one, unless it holds what another type has. Files of the first versions tell none.
 */
function typesOf({ type, f, i, s, t, floats, ints, strings }: AttributeProto): number[] {
  const held = new Set([type]);
  if (f !== undefined) held.add(ATTRIBUTE_TYPE.float);
  if (i !== undefined) held.add(ATTRIBUTE_TYPE.int);
  if (s !== undefined) held.add(ATTRIBUTE_TYPE.string);
  if (t) held.add(ATTRIBUTE_TYPE.tensor);
  if (floats.length > 0) held.add(ATTRIBUTE_TYPE.floats);
  if (ints.length > 0) held.add(ATTRIBUTE_TYPE.ints);
  if (strings.length > 0) held.add(ATTRIBUTE_TYPE.strings);
  held.delete(0);
  return [...held];
}

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
      throw new UnknownForm(`expected attributes with names of their own, got ${listed(names)}`);
    }
  }

  #find(name: string, type: number): AttributeProto | undefined {
    this.#read.add(name);
    const attribute = this.#byName.get(name);
    if (!attribute) return undefined;
    const given = typesOf(attribute);
    if (given.length > 1 || (given[0] ?? type) !== type) {
      throw new UnknownForm(
        `${name}: expected an attribute of type ${type}, got type ${given.join(" and ")}`,
      );
    }
    return attribute;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, absent: number): number;
  int(name: string, absent?: undefined): number | undefined;
  int(name: string, absent?: number): number | undefined {
    const attribute = this.#find(name, ATTRIBUTE_TYPE.int);
    return attribute ? (attribute.i ?? 0) : absent;
  }

  /** An integer that stands for yes or no. @throws Unsupported unless it is 1 or 0 */
  flag(name: string, absent: boolean): boolean {
    const value = this.int(name, Number(absent));
    if (value === 0 || value === 1) return value === 1;
    throw new Unsupported(`${name}: expected 0 or 1, got ${value}`);
  }

  /** An integer that has to be given. @throws Unsupported when it is not */
  requiredInt(name: string): number {
    const value = this.int(name);
    if (value !== undefined) return value;
    throw new Unsupported(`${name}: expected an integer, got none`);
  }

  /** A number to compute with. @throws Unsupported unless it is finite */
  float(name: string, absent: number): number {
    const value = this.anyFloat(name, absent);
    if (Number.isFinite(value)) return value;
    throw new Unsupported(`${name}: expected a finite number, got ${value}`);
  }

  /** A number that is an element of a tensor or bounds one: infinities and NaN as well. */
  anyFloat(name: string, absent: number): number {
    const attribute = this.#find(name, ATTRIBUTE_TYPE.float);
    return attribute ? (attribute.f ?? 0) : absent;
  }

  /** @throws Unsupported unless it is one of `choices`; the first is the one where none is given. */
  choice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const attribute = this.#find(name, ATTRIBUTE_TYPE.string);
    if (!attribute) return choices[0];
    if (choices.includes(attribute.s as T)) return attribute.s as T;
    throw new UnknownForm(`${name}: expected one of ${listed(choices)}; got ${show(attribute.s)}`);
  }

  ints(name: string): readonly number[] | undefined {
    return this.#find(name, ATTRIBUTE_TYPE.ints)?.ints;
  }

  /** So many integers, none below `least`, which all are where none are given. @throws Unsupported */
  list(name: string, length: number, least: number): readonly number[] {
    const values = this.ints(name) ?? Array.from({ length }, () => least);
    if (values.length === length && values.every((value) => value >= least)) return values;
    throw new Unsupported(`${name}: expected ${length} integers ≥ ${least}, got [${listed(values)}]`);
  }

  floats(name: string): readonly number[] | undefined {
    return this.#find(name, ATTRIBUTE_TYPE.floats)?.floats;
  }

  tensor(name: string): Constant | undefined {
    const proto = this.#find(name, ATTRIBUTE_TYPE.tensor)?.t;
    return proto && readTensor(name, proto);
  }

  /** Takes note of attributes that mean nothing here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws Unsupported when there are attributes that nobody read */
  checkAllRead(): void {
    const unread = [...this.#byName.keys()].filter((name) => !this.#read.has(name));
    if (unread.length > 0) throw new UnknownForm(`attributes that are not known here: ${listed(unread)}`);
  }
}
