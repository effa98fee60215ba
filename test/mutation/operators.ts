/**
 * Mistakes that Stryker does not make and people do: a number off by one, two arguments in the wrong order, the height
 * where the width belongs, a line forgotten, a term left out. In the form of Stryker's own operators, so that it places
 * them in TypeScript, and `kernels.ts` in AssemblyScript.
 */

/** A node of Babel's syntax tree, as far as it is looked at here. */
export interface SyntaxNode {
  readonly type: string;
  readonly start?: number;
  readonly end?: number;
  readonly [key: string]: unknown;
}

/** A node's place in the tree, of Babel's `NodePath`. */
export interface SyntaxPath {
  readonly node: SyntaxNode;
  readonly parent: SyntaxNode | null;
  readonly key: string | number | null;
  readonly scope: { readonly block: SyntaxNode; hasBinding(name: string): boolean };
}

export interface Operator {
  readonly name: string;
  mutate(path: SyntaxPath): Iterable<SyntaxNode>;
}

const number = (value: number): SyntaxNode =>
  value < 0
    ? { type: "UnaryExpression", operator: "-", prefix: true, argument: number(-value) }
    : { type: "NumericLiteral", value };

/** Names of what there are two of; one is easily written for the other. */
const PAIRS = [
  ["h", "w"],
  ["H", "W"],
  ["kh", "kw"],
  ["oh", "ow"],
  ["y", "x"],
  ["top", "left"],
  ["bottom", "right"],
  ["rows", "columns"],
  ["height", "width"],
  ["lda", "ldb"],
  ["beta1", "beta2"],
  ["gamma", "beta"],
  ["mean", "variance"],
  ["first", "last"],
  ["start", "end"],
  ["min", "max"],
] as const;

/** The other of a pair: of the whole name or of its last part, `strideH` of `strideW`. */
function counterpart(name: string): string | undefined {
  for (const [one, other] of PAIRS) {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      if (name === from) return to;
      const part = from[0]!.toUpperCase() + from.slice(1);
      if (name.endsWith(part)) return name.slice(0, -part.length) + to[0]!.toUpperCase() + to.slice(1);
    }
  }
  return undefined;
}

/** Whether the node stands for the name of something new or of a property, not for a value. */
function isNameOnly({ parent, key }: SyntaxPath): boolean {
  if (!parent) return true;
  if (parent.type === "MemberExpression") return key === "property" && !parent["computed"];
  return /Declarat|Parameter|Property|Method|Pattern|Function|Import|Export|Label|Class|^TS/.test(
    parent.type,
  );
}

/** A number one too large, one too small; a fraction halved. */
const numberOff: Operator = {
  name: "NumberOff",
  *mutate({ node, key, parent }) {
    if (node.type !== "NumericLiteral" || key === "key") return;
    if (parent?.type.startsWith("TS") && parent.type !== "TSTypeAssertion") return;
    const value = node["value"] as number;
    if (!Number.isInteger(value)) yield number(value / 2);
    else {
      yield number(value + 1);
      if (value > 0) yield number(value - 1);
    }
  },
};

const isPlain = ({ type }: SyntaxNode): boolean =>
  type === "Identifier" || type === "MemberExpression" || type === "NumericLiteral";

/** Two neighbours among the arguments of a call in the other order. */
const argumentsSwapped: Operator = {
  name: "ArgumentsSwapped",
  *mutate({ node }) {
    if (node.type !== "CallExpression" && node.type !== "NewExpression") return;
    const given = node["arguments"] as readonly SyntaxNode[];
    for (let i = 0; i + 1 < given.length; i++) {
      const [a, b] = [given[i]!, given[i + 1]!];
      if (!isPlain(a) || !isPlain(b)) continue;
      yield { ...node, arguments: [...given.slice(0, i), b, a, ...given.slice(i + 2)] };
    }
  },
};

/** The other of a pair. */
const pairConfused: Operator = {
  name: "PairConfused",
  *mutate(path) {
    const { node, parent } = path;
    if (node.type === "Identifier" && !isNameOnly(path)) {
      const name = counterpart(node["name"] as string);
      const builtIn = name === "min" || name === "max";
      if (name && (builtIn || path.scope.hasBinding(name))) yield { type: "Identifier", name };
    }
    if (node.type === "MemberExpression" && !node["computed"] && parent?.type !== "CallExpression") {
      const property = node["property"] as SyntaxNode;
      const name = property.type === "Identifier" ? counterpart(property["name"] as string) : undefined;
      if (name) yield { ...node, property: { type: "Identifier", name } };
    }
  },
};

/** A line forgotten: an assignment, a count, a call for its effect. */
const statementDropped: Operator = {
  name: "StatementDropped",
  *mutate({ node }) {
    if (node.type === "ExpressionStatement") yield { type: "EmptyStatement" };
  },
};

/** One operand of a sum, a product or a mask left out. */
const termDropped: Operator = {
  name: "TermDropped",
  *mutate({ node }) {
    if (node.type !== "BinaryExpression") return;
    if (!/^([-+*&|]|<<|>>>?)$/.test(node["operator"] as string)) return;
    yield node["left"] as SyntaxNode;
    if (/^[+*]$/.test(node["operator"] as string)) yield node["right"] as SyntaxNode;
  },
};

export const OPERATORS: readonly Operator[] = [
  numberOff,
  argumentsSwapped,
  pairConfused,
  statementDropped,
  termDropped,
];
