import type { Parameter, Parameters } from "../graph/parameters.ts";

/** Learning weights that are laid out one behind the other. */
export interface Span {
  readonly first: Parameter;
  readonly size: number;
}

/** The learning among all parameters, in spans of those that follow each other, as long as they can be. */
export function spansOf(
  parameters: Parameters,
  learning: ReadonlySet<Parameter>,
  follows: (first: Parameter, next: Parameter) => boolean,
): Span[] {
  const spans: { first: Parameter; size: number }[] = [];
  let open: { first: Parameter; size: number } | undefined;
  for (const parameter of parameters.list) {
    if (!learning.has(parameter)) {
      open = undefined;
      continue;
    }
    if (!open || !follows(open.first, parameter)) spans.push((open = { first: parameter, size: 0 }));
    open.size = parameter.offset + parameter.size - open.first.offset;
  }
  return spans;
}

/** True when two weights lie as far apart as their gradients do. Weights that another model shares may lie elsewhere. */
export const liesBehind = (first: Parameter, { slot, offset }: Parameter): boolean =>
  first.slot.block === slot.block && slot.offset - first.slot.offset === offset - first.offset;
