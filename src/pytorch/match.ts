/** Which module of a state dict is which layer. */
import { OptionError, ShapeError } from "../errors.ts";
import { listed, show } from "../options.ts";
import { sameShape, shapeText, type Shape } from "../tensor.ts";
import type { Module } from "./modules.ts";

/** The tensors of a module in the file, by their names in it. */
export type FileTensors = ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }>;

/** The modules of a file, by their names. */
export type FileModules = ReadonlyMap<string, FileTensors>;

/** The name of a tensor in the file. */
export const tensorName = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

type Shapes = Iterable<readonly [name: string, shape: Shape]>;

const shapesOf = ({ tensors }: Module): Shapes => tensors.map(({ name, shape }) => [name, shape]);
const shapesIn = (tensors: FileTensors): Shapes => Array.from(tensors, ([name, { shape }]) => [name, shape]);

/** What modules of the same kind and sizes have in common. */
const textOf = (shapes: Shapes): string =>
  Array.from(shapes, ([name, shape]) => `${name} ${shapeText(shape)}`)
    .sort()
    .join(", ");

/** @throws ShapeError naming a tensor, unless a module has those of the layer and no others */
function checkFits(path: string, own: Module, tensors: FileTensors): void {
  for (const { name, shape, weight } of own.tensors) {
    const tensor = tensors.get(name);
    if (tensor && sameShape(tensor.shape, shape)) continue;
    const got = tensor ? `shape ${shapeText(tensor.shape)}` : "no such tensor";
    throw new ShapeError(
      `loadStateDict: ${tensorName(path, name)}: expected shape ${shapeText(shape)} for ${weight}, got ${got}`,
    );
  }
  const names = own.tensors.map(({ name }) => name);
  const unknown = [...tensors.keys()].find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new ShapeError(
    `loadStateDict: ${tensorName(path, unknown)}: expected ${listed(names)} for ${own.name}, got it besides`,
  );
}

/** The modules by what layers may be called: their own names, or those with underscores for dots, which layers cannot have. */
function byLayerName(modules: FileModules): Map<string, string> {
  const paths = [...modules.keys()];
  return new Map([
    ...paths.map((path) => [path.replaceAll(".", "_"), path] as const),
    ...paths.map((path) => [path, path] as const),
  ]);
}

/** Names in the order of the numbers in them; undefined when they differ in more than numbers. */
function byNumber(paths: readonly string[]): string[] | undefined {
  const texts = new Set(paths.map((path) => path.replace(/\d+/g, "#")));
  if (texts.size > 1) return undefined;
  const numbers = new Map(paths.map((path) => [path, (path.match(/\d+/g) ?? []).map(Number)]));
  return paths.toSorted((a, b) => {
    const [first, second] = [numbers.get(a)!, numbers.get(b)!];
    const at = first.findIndex((number, i) => number !== second[i]);
    return at < 0 ? 0 : first[at]! - second[at]!;
  });
}

/** The modules for layers of the same kind and sizes. @throws ShapeError */
function ordered(owns: readonly Module[], paths: readonly string[], modules: FileModules): readonly string[] {
  const names = listed(owns.map(({ name }) => name));
  if (paths.length < owns.length) {
    const left = Array.from(modules, ([path, tensors]) => `${path} (${textOf(shapesIn(tensors))})`);
    throw new ShapeError(
      `loadStateDict: ${names}: expected ${owns.length} with ${textOf(shapesOf(owns[0]!))}, ` +
        `got ${paths.length} of these: ${listed(left, "; ") || "none is left"}`,
    );
  }
  const found = paths.length === 1 ? paths : byNumber(paths);
  if (found) return found;
  throw new ShapeError(
    `loadStateDict: ${names}: expected the option names to say which is which of ${listed(paths)}, which have the same shapes, got no names of theirs`,
  );
}

/** The modules that options name. @throws OptionError, ShapeError */
function named(
  owns: readonly Module[],
  modules: FileModules,
  names: Readonly<Record<string, string>>,
): Map<Module, string> {
  const pairs = Object.entries(names).map(([name, path]) => {
    const own = owns.find((each) => each.name === name);
    if (!own) {
      const known = listed(owns.map((each) => each.name));
      throw new OptionError(`loadStateDict: names: expected names of ${known}; got ${show(name)}`);
    }
    if (!modules.has(path)) {
      throw new ShapeError(
        `loadStateDict: names: ${name}: expected one of ${listed([...modules.keys()])}; got ${show(path)}`,
      );
    }
    return [own, path] as const;
  });
  return new Map(pairs);
}

/**
 * Finds the module of each layer: by `names`, by the layer's own name, by its kind and sizes; those of the same kind and
 * sizes in the order of the numbers in their names.
 * @throws ShapeError naming what is missing, left over, of another shape or ambiguous; OptionError for names of no layer
 */
export function matchModules(
  owns: readonly Module[],
  modules: FileModules,
  names: Readonly<Record<string, string>>,
): Map<Module, string> {
  const found = named(owns, modules, names);
  const namesakes = byLayerName(modules);
  for (const own of owns) {
    const path = found.get(own) ?? namesakes.get(own.name);
    if (path === undefined) continue;
    found.set(own, path);
    checkFits(path, own, modules.get(path)!);
  }
  const taken = new Set(found.values());
  const left = new Map([...modules].filter(([path]) => !taken.has(path)));
  const alike = new Map<string, { owns: Module[]; paths: string[] }>();
  const groupOf = (shapes: Shapes): { owns: Module[]; paths: string[] } => {
    const text = textOf(shapes);
    const group = alike.get(text) ?? { owns: [], paths: [] };
    alike.set(text, group);
    return group;
  };
  for (const own of owns) if (!found.has(own)) groupOf(shapesOf(own)).owns.push(own);
  for (const [path, tensors] of left) groupOf(shapesIn(tensors)).paths.push(path);
  for (const group of alike.values()) {
    if (group.owns.length === 0) continue;
    const paths = ordered(group.owns, group.paths, left);
    for (const [i, own] of group.owns.entries()) found.set(own, paths[i]!);
  }
  checkAll(found, modules);
  return found;
}

/** @throws ShapeError unless each module is the one of one layer */
function checkAll(found: ReadonlyMap<Module, string>, modules: FileModules): void {
  const owners = new Map<string, Module>();
  for (const [own, path] of found) {
    const other = owners.get(path);
    if (other) {
      throw new ShapeError(
        `loadStateDict: ${path}: expected the module of one layer, got ${other.name} and ${own.name}`,
      );
    }
    owners.set(path, own);
  }
  const besides = Array.from(modules, ([path, tensors]) =>
    owners.has(path) ? [] : Array.from(tensors.keys(), (name) => tensorName(path, name)),
  ).flat();
  if (besides.length === 0) return;
  throw new ShapeError(`loadStateDict: expected a layer for each tensor, got none for ${listed(besides)}`);
}
