/** What the options on the command line may be, read one by one. */
import { InvalidArgumentError } from "commander";
import type { NamedFile, NamedShape } from "./nets/inputs.ts";

/** Only plain decimal digits are integers here: `Number` would take "", "1e3" and "0x10" too. */
export function integerFrom(least: number, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Expected an integer of at most 2^53 - 1, got ${JSON.stringify(text)}.`);
    }
    if (!/^\d+$/.test(text) || value < least) {
      throw new InvalidArgumentError(`Expected ${what}, got ${JSON.stringify(text)}.`);
    }
    return value;
  };
}

export const positiveInteger = integerFrom(1, "a positive integer");

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^[\d.]+(e[+-]?\d+)?$/i.test(text) || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError(`Expected a positive number, got ${JSON.stringify(text)}.`);
  }
  return value;
}

/** A share between 0 and 1, neither of them. */
export function share(text: string): number {
  const value = Number(text);
  if (/^[\d.]+(e-?\d+)?$/i.test(text) && value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`Expected a number between 0 and 1, got ${JSON.stringify(text)}.`);
}

/** One number, or one a channel: `0.485,0.456,0.406`. */
export function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (!values.every(Number.isFinite)) {
    throw new InvalidArgumentError(
      `Expected numbers, as 0.5 or 0.485,0.456,0.406, got ${JSON.stringify(text)}.`,
    );
  }
  return values;
}

export function positiveNumbers(text: string): number[] {
  const values = numbers(text);
  if (values.every((value) => value > 0)) return values;
  throw new InvalidArgumentError(`Expected positive numbers, got ${JSON.stringify(text)}.`);
}

/** `224` or `224x320`, height and width. */
export function sizePair(text: string): [number, number] {
  const [, height, width = height] = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (height === undefined) {
    throw new InvalidArgumentError(`Expected a size, as 224 or 224x320, got ${JSON.stringify(text)}.`);
  }
  return [Number(height), Number(width)];
}

/** `file` or `name=file`, after those before. */
export function namedFile(text: string, before: readonly NamedFile[] = []): NamedFile[] {
  const at = text.indexOf("=");
  return [...before, at < 0 ? { file: text } : { name: text.slice(0, at), file: text.slice(at + 1) }];
}

/** `1x3x224x224` or `name=1x3x224x224`, after those before. */
export function namedShape(text: string, before: readonly NamedShape[]): NamedShape[] {
  const at = text.lastIndexOf("=");
  const sizes = text.slice(at + 1);
  if (!/^[1-9]\d{0,9}(x[1-9]\d{0,9})*$/.test(sizes)) {
    throw new InvalidArgumentError(
      `Expected a shape, as 1x3x224x224 or x=1x3x224x224, got ${JSON.stringify(text)}.`,
    );
  }
  const shape = sizes.split("x").map(Number);
  return [...before, at < 0 ? { shape } : { name: text.slice(0, at), shape }];
}

/** A number of threads from 1 to 64, or `auto`. */
export function threadCount(text: string): number | "auto" {
  if (text === "auto" || /^([1-9]|[1-5]\d|6[0-4])$/.test(text)) return text === "auto" ? text : Number(text);
  throw new InvalidArgumentError(`Expected an integer from 1 to 64 or auto, got ${JSON.stringify(text)}.`);
}
