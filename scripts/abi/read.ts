/** Reads the ABI from the kernels' sources with AssemblyScript's own parser. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import {
  BlockStatement,
  ClassDeclaration,
  DeclarationStatement,
  EnumDeclaration,
  ExportStatement,
  FieldDeclaration,
  FunctionDeclaration,
  ImportStatement,
  Parser,
  ReturnStatement,
  VariableStatement,
  type Node,
} from "assemblyscript";
import { docOf, type Doc } from "./docs.ts";

export interface Parameter {
  readonly name: string;
  /** The type as AssemblyScript spells it. */
  readonly type: string;
}

interface Named {
  readonly name: string;
  readonly doc: Doc;
}

/**
 * A function: `file` is its home within `assembly/`, `result` its type, `returned` the expression if that is its body.
 */
export interface Fn extends Named {
  readonly file: string;
  readonly parameters: readonly Parameter[];
  readonly result: string;
  readonly returned: string | undefined;
}

export interface Constant extends Named {
  readonly value: string;
}

export interface Enumeration extends Named {
  readonly members: readonly Constant[];
}

export interface Struct extends Named {
  readonly fields: readonly (Named & { readonly type: string })[];
}

export interface Abi {
  /** The functions that the binary exports, in the order of `assembly/index.ts`. */
  readonly kernels: readonly Fn[];
  /** Tagged `@abi`. */
  readonly enumerations: readonly Enumeration[];
  readonly structs: readonly Struct[];
  readonly constants: readonly Constant[];
  /** Tagged `@work`. */
  readonly costs: readonly Constant[];
  readonly costFunctions: readonly Fn[];
}

/** One source: its declarations by name, and where the names lead that come from elsewhere. */
interface Module {
  readonly declared: ReadonlyMap<string, Fn | Constant | Enumeration | Struct>;
  readonly elsewhere: ReadonlyMap<string, { readonly file: string; readonly name: string }>;
  /** Names that the module exports, with those that they have inside. */
  readonly exported: ReadonlyMap<string, string>;
}

const ENTRY = "index.ts";

/** Reads one source. */
function parseModule(file: string, text: string): Module {
  const comments = new Map<number, string>();
  const parser = new Parser(null, []);
  // Called again where the parser looks ahead.
  parser.onComment = (_, comment, { end }) => comments.set(end, comment);
  parser.parseFile(text, file, true);
  const declared = new Map<string, Fn | Constant | Enumeration | Struct>();
  const elsewhere = new Map<string, { file: string; name: string }>();
  const exported = new Map<string, string>();
  const source = ({ range }: Node): string => text.slice(range.start, range.end);
  const target = (path: string): string => posix.join(posix.dirname(file), `${path}.ts`);
  for (const statement of parser.sources.at(-1)!.statements) {
    if (statement instanceof ImportStatement) {
      for (const { name, foreignName } of statement.declarations ?? [])
        elsewhere.set(name.text, { file: target(statement.path.value), name: foreignName.text });
    } else if (statement instanceof ExportStatement) {
      for (const { localName, exportedName } of statement.members ?? []) {
        exported.set(exportedName.text, localName.text);
        if (statement.path)
          elsewhere.set(localName.text, { file: target(statement.path.value), name: localName.text });
      }
    }
    const nodes = statement instanceof VariableStatement ? statement.declarations : [statement];
    for (const node of nodes) {
      if (!(node instanceof DeclarationStatement)) continue;
      const doc = (of: Node): Doc =>
        docOf(text, of === node ? statement.range.start : of.range.start, comments);
      declared.set(node.name.text, declarationOf(node, file, source, doc));
      exported.set(node.name.text, node.name.text);
    }
  }
  return { declared, elsewhere, exported };
}

/** Reads a declaration. */
function declarationOf(
  node: DeclarationStatement,
  file: string,
  source: (node: Node) => string,
  docFor: (node: Node) => Doc,
): Fn | Constant | Enumeration | Struct {
  const named = (of: DeclarationStatement): Named => ({ name: of.name.text, doc: docFor(of) });
  const value = (of: { initializer: Node | null }): string => (of.initializer ? source(of.initializer) : "");
  if (node instanceof FunctionDeclaration) {
    const { parameters, returnType } = node.signature;
    const [first] = node.body instanceof BlockStatement ? node.body.statements : [];
    const returned = first instanceof ReturnStatement && first.value ? source(first.value) : undefined;
    const typed = parameters.map(({ name, type }) => ({ name: name.text, type: source(type) }));
    return { ...named(node), file, parameters: typed, result: source(returnType), returned };
  }
  if (node instanceof EnumDeclaration)
    return { ...named(node), members: node.values.map((each) => ({ ...named(each), value: value(each) })) };
  if (node instanceof ClassDeclaration) {
    const fields = node.members.filter((member) => member instanceof FieldDeclaration);
    return { ...named(node), fields: fields.map((each) => ({ ...named(each), type: source(each.type!) })) };
  }
  return { ...named(node), value: "initializer" in node ? value(node as { initializer: Node | null }) : "" };
}

/** Follows an exported name to its function. */
function resolve(modules: ReadonlyMap<string, Module>, file: string, name: string): Fn {
  const module = modules.get(file);
  const local = module?.exported.get(name) ?? name;
  const found = module?.declared.get(local);
  if (found && "parameters" in found) return found;
  const next = module?.elsewhere.get(local);
  if (!next) throw new Error(`assembly/${file}: expected a function ${name}, got none`);
  return resolve(modules, next.file, next.name);
}

/** @throws Error when two of what TypeScript gets by name have one */
function expectDistinct(declarations: readonly Named[]): void {
  const names = declarations.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice)
    throw new Error(`assembly: expected one declaration of the name ${twice} with @abi or @work, got two`);
}

/** @throws Error when a docstring has a tag that means nothing, as a misspelled one */
function expectKnownTags({ file, name, doc }: Fn): void {
  const unknown = /(?:^|\s)(@\w+)/.exec(doc.lines.join("\n"))?.[1];
  if (unknown) throw new Error(`assembly/${file}: ${name}: expected a known tag, got ${unknown}`);
}

/** Reads all sources in the folder. */
export function readAbi(folder: string): Abi {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"))
    .sort();
  const modules = new Map(
    files.map((file) => [file, parseModule(file, readFileSync(`${folder}/${file}`, "utf8"))]),
  );
  const all = [...modules.values()].flatMap(({ declared }) => [...declared.values()]);
  const tagged = (tag: string): typeof all => all.filter(({ doc }) => doc.tags.has(tag));
  const [abi, work] = [tagged("abi"), tagged("work")];
  expectDistinct([...abi, ...work]);
  const kernels = [...modules.get(ENTRY)!.exported.keys()].map((name) => ({
    ...resolve(modules, ENTRY, name),
    name,
  }));
  kernels.forEach(expectKnownTags);
  return {
    kernels,
    enumerations: abi.filter((each) => "members" in each),
    structs: abi.filter((each) => "fields" in each),
    constants: abi.filter((each) => "value" in each),
    costs: work.filter((each) => "value" in each),
    costFunctions: work.filter((each) => "parameters" in each),
  };
}
