import type { Activation } from "../kernels/activation.ts";
import { KernelEngine } from "../runtime/engine.ts";
import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import type { InputGradientAlgorithm } from "../kernels/conv2dGradients.ts";
import type { PoolOptions } from "../kernels/pool2d.ts";
import type { WindowOptions } from "../kernels/window.ts";
import type { Shape, Tensor, OwnTensor } from "../tensor.ts";
import * as convolution from "./convolution.ts";
import type { Labels } from "../labels.ts";
import * as dense from "./dense.ts";
import * as pooling from "./pooling.ts";
import { transpose } from "./transpose.ts";

/**
 * The kernels on a memory of their own, with the eager operators: each takes plain tensors and returns new ones.
 *
 * Every float32 sum has one documented order, so the results are the same bits on every machine. γ_k stands for
 * k·u / (1 − k·u) with u = 2⁻²⁴, the error bound of a running sum of k terms. All operators throw `ShapeError` or
 * `OptionError` with the operator's name, the expected and the given, and `MemoryError` when the memory cannot grow.
 */
export class Engine extends KernelEngine {
  /**
   * The patches of `x[n, h, w, c]` as rows `[n·oh·ow, kh·kw·c]`, zeros where a patch reaches into the padding. Exact.
   */
  im2row(x: Tensor, options: WindowOptions): OwnTensor {
    return convolution.im2row(this.runtime, x, options);
  }

  /**
   * The adjoint of `im2row`: each pixel of `xShape` is the sum over its copies in the rows, in ascending order of
   * rows. Error: γ_t·Σ|rows| with t the number of patches that a pixel lies in.
   */
  col2im(rows: Tensor, xShape: Shape, options: WindowOptions): OwnTensor {
    return convolution.col2im(this.runtime, rows, xShape, options);
  }

  /**
   * `act(op(a)·op(b) + bias)`: `[m, k]·[k, n]` → `[m, n]`; `op` transposes on request.
   *
   * Each element is one running float32 sum, k ascending. Error: γ_{k+1}·(|a|·|b| + |bias|) + k·2⁻¹²⁶·max|a|, the last
   * term where elements of `b` are subnormal: they count as zeros.
   */
  matMul(a: Tensor, b: Tensor, options?: dense.MatMulOptions): OwnTensor {
    return dense.matMul(this.runtime, a, b, options);
  }

  /** Column sums of `x[…, f]`: `[f]`, rows ascending; the gradient of a bias. Error: γ_rows·Σ|x|. */
  sumRows(x: Tensor): OwnTensor {
    return dense.sumRows(this.runtime, x);
  }

  /**
   * `act(im2row(x)·filter + bias)`: `x[n, h, w, c]`, `filter[kh, kw, c/groups, f]` → `[n, oh, ow, f]`.
   *
   * By `"im2row"` and `"depthwise"` each output is one running float32 sum over (ky, kx, channel). Error:
   * γ_{k+1}·(|R|·|W| + |b|) + k·2⁻¹²⁶·max|x|, k = kh·kw·c/groups, the last term where filters are subnormal: they count as
   * zeros.
   *
   * By `"winograd"`, which `"auto"` takes for 3×3 filters at stride 1 where it multiplies less, 4×4 outputs come from a whole
   * tile d of 6×6 pixels at once, padding included: γ_{c+25}·(|A|ᵀ[Σ_c (|G||W||G|ᵀ) ⊙ (|B|ᵀ|d||B|)]|A| + |b|), with the
   * matrices of `assembly/conv/winograd/transform.ts`, and 4c·2⁻¹²⁶·|A|ᵀ[max |B|ᵀ|d||B|]|A| where filters are subnormal. The
   * error of each output is that of the tile's largest pixels, whether its own patch holds them or not, and an infinity or
   * NaN among the tile's pixels can make NaN of all of its outputs. `"im2row"` keeps the first bound, output by output.
   */
  conv2d(x: Tensor, filter: Tensor, options?: convolution.Conv2dForwardOptions): OwnTensor {
    return convolution.conv2d(this.runtime, x, filter, options);
  }

  /**
   * The gradient of a convolution with respect to its input: `col2im(dy·Wᵀ)`, or `"flipped"`: `dy`, dilated by the
   * strides and padded, correlated with the filters rotated by 180°. `"auto"` takes the one with fewer multiplications at
   * stride 1, and col2im at larger strides.
   *
   * Error: γ_{f+t}·col2im(|dy|·|W|ᵀ), t the number of patches that a pixel lies in, and t·f·2⁻¹²⁶·max|dy| where filters are
   * subnormal: they count as zeros. By `"winograd"` it is that of `conv2d` over `dy`, with its whole tiles.
   */
  conv2dBackpropInput(
    dy: Tensor,
    filter: Tensor,
    xShape: Shape,
    options?: convolution.Conv2dOptions & { algorithm?: InputGradientAlgorithm },
  ): OwnTensor {
    return convolution.conv2dBackpropInput(this.runtime, dy, filter, xShape, options);
  }

  /**
   * The gradient of a convolution with respect to its filters: `im2row(x)ᵀ·dy` → `filterShape`.
   *
   * Each element is one running float32 sum over the output pixels. Error: γ_m·|R|ᵀ·|dy|, m = n·oh·ow. By `"winograd"` the sum
   * runs over the t tiles: γ_{t+24}·|G|ᵀ[Σ (|B|ᵀ|d||B|) ⊙ (|A||dy||A|ᵀ)]|G|, which an infinity or NaN in any makes NaN.
   */
  conv2dBackpropFilter(
    x: Tensor,
    dy: Tensor,
    filterShape: Shape,
    options?: convolution.Conv2dOptions & { algorithm?: ConvAlgorithm },
  ): OwnTensor {
    return convolution.conv2dBackpropFilter(this.runtime, x, dy, filterShape, options);
  }

  /** The maximum of each window and where it was found: the first of equals; padding never wins; NaN does. Exact. */
  maxPool2d(x: Tensor, options: PoolOptions): pooling.MaxPool {
    return pooling.maxPool2d(this.runtime, x, options);
  }

  /** Adds each `dy` to the pixel that won its window, ascending. `argmax` as `maxPool2d` returned it. */
  maxPool2dBackprop(dy: Tensor, argmax: Tensor<Int32Array>, xShape: Shape): OwnTensor {
    return pooling.maxPool2dBackprop(this.runtime, dy, argmax, xShape);
  }

  /** The mean of each window, padding not counted. Error: γ_{kh·kw}·mean|x|. */
  averagePool2d(x: Tensor, options: PoolOptions): OwnTensor {
    return pooling.averagePool2d(this.runtime, x, options);
  }

  /** Spreads each `dy` evenly over the pixels of its window. */
  averagePool2dBackprop(dy: Tensor, xShape: Shape, options: PoolOptions): OwnTensor {
    return pooling.averagePool2dBackprop(this.runtime, dy, xShape, options);
  }

  /** The axes of `x` in the order `perm`: axis `i` of the result is axis `perm[i]` of `x`, counted from 0. Exact. */
  transpose(x: Tensor, perm: readonly number[]): OwnTensor {
    return transpose(this.runtime, x, perm);
  }

  /** `act(x)`, element by element; softmax over the last axis. */
  activation(x: Tensor, kind: Activation): OwnTensor {
    return dense.activation(this.runtime, x, kind);
  }

  /**
   * `dy ∘ act'`, computed from the activation's output `y` or, of those whose output does not determine their slope (softplus,
   * silu, hardSwish, gelu, geluTanh, mish), from the input in its place.
   */
  activationBackprop(dy: Tensor, y: Tensor, kind: Activation): OwnTensor {
    return dense.activationBackprop(this.runtime, dy, y, kind);
  }

  /**
   * Mean cross-entropy of `softmax(logits[n, classes])` with class numbers `[n]` or target rows, and its gradient. Rows are of
   * numbers from 0 to 1 that sum to one within 10⁻³. @throws ShapeError, OptionError naming the label
   */
  softmaxCrossEntropy(logits: Tensor, labels: Labels): dense.LossResult {
    return dense.softmaxCrossEntropy(this.runtime, logits, labels);
  }
}
