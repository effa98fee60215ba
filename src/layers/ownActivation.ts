/** The passes of activations of users. */
import type { OwnActivation } from "../kernels/ownActivation.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, GradientContext } from "./contract.ts";
import { remembered, viewOf } from "./views.ts";

/** Computes `y` from `x`, of `size` numbers an image; rows have so many `columns`. */
export function ownForward(
  context: BuildContext,
  own: OwnActivation,
  x: Buffer,
  y: Buffer,
  size: number,
  columns: number,
): (n: number) => void {
  const views = remembered(context, (n) => ({
    x: viewOf(context, x, n * size),
    y: viewOf(context, y, n * size),
    columns,
  }));
  return (n) => own.forward(views(n));
}

/** Computes `dx`, which may be `dy`. */
export function ownBackward(
  context: GradientContext,
  own: OwnActivation,
  x: Buffer,
  dx: Buffer,
  size: number,
  columns: number,
): (n: number) => void {
  const { y, dy, capacity } = context;
  const apart = dx === dy ? context.workspace(capacity * size) : dx;
  const views = remembered(context, (n) => {
    const view = (buffer: Buffer): Float32Array => viewOf(context, buffer, n * size);
    return { x: view(x), y: view(y), dy: view(dy), dx: view(apart), columns };
  });
  return (n) => {
    own.backward(views(n));
    if (apart !== dx) views(n).dy.set(views(n).dx);
  };
}
