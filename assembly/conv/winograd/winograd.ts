/**
 * 3×3 convolutions at stride 1 by Winograd's F(4×4, 3×3): a quarter of the multiplications.
 *
 *   forward           Y  = Aᵀ [ Σ_c (G g Gᵀ) ⊙ (Bᵀ d B) ] A        for each 4×4 tile of the output
 *   filter gradient   dg = Gᵀ [ Σ_tiles (Bᵀ d B) ⊙ (A dY Aᵀ) ] G   its adjoint in g
 *   input gradient    the forward pass over dY with the filters rotated by 180°
 *
 * At each of the 36 points of a tile the sum over channels (or tiles) is a matrix product, and runs on the register
 * tile. `transform.ts` has the matrices.
 *
 * Order: the transforms as written there; each product one running float32 sum over the channels (or over the tiles:
 * image, row, column) ascending. Neither strips nor threads change a bit.
 * Error: |ŷ − y| ≤ γ_{k+24} · |A|ᵀ [ Σ (|G||g||G|ᵀ) ⊙ (|B|ᵀ|d||B|) ] |A| with k the length of the sum: each transform
 * adds up to 4 terms with constants that are off by u, in two dimensions (Higham 2002, §3.1); and
 * 4k·2⁻¹²⁶·|A|ᵀ [ max |B|ᵀ|d||B| ] |A| where filters are subnormal, before or after they are transformed, and count as
 * zeros: a row of |G| sums to at most 1.48. The gradients likewise.
 * The bound is that of a whole tile: an output far smaller than others of its tile, or whose patch does not hold the
 * tile's largest pixels, has the error of those, and an infinity or a NaN in a tile can make NaN of all of its outputs.
 */
import { rotate } from "../inputGradientFlipped";
import { Activation } from "../../lib/activations";
import { convolve, takePass } from "./forward";
import { openWorkspace, take, workspaceFloats } from "../../lib/workspace";
import { Window } from "../../lib/window";

export { winogradBackpropFilter, winogradBackpropFilterWorkspace } from "./gradient";
export { winogradPackFilters, winogradPackRotatedFilters, winogradPackedFilters } from "./filters";
export { winogradForward, winogradForwardWorkspace } from "./forward";

/** The window of the rotated correlation. */
let rotatedAt: usize = 0;

/** Floats of workspace for `winogradBackpropInput`. @size */
export function winogradBackpropInputWorkspace(c: i32, f: i32): f64 {
  openWorkspace(0);
  rotatedAt = take(offsetof<Window>());
  takePass(f, c);
  return workspaceFloats();
}

/**
 * `dx[n, h, w, c]` from `dy[n, oh, ow, f]` and filters packed by `winogradPackRotatedFilters`.
 *
 * @split unfolded(window, n) * f / 4
 */
export function winogradBackpropInput(
  window: Window,
  n: i32,
  f: i32,
  dy: usize,
  packed: usize,
  dx: usize,
  workspace: usize,
): void {
  openWorkspace(workspace);
  rotatedAt = take(offsetof<Window>());
  const rotated = changetype<Window>(rotatedAt);
  rotate(window, f, rotated);
  convolve(rotated, n, window.c, dy, packed, 0, dx, Activation.linear, 0);
}
