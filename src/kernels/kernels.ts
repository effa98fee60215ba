/**
 * The typed table of the module's exports, grouped by kernel file.
 *
 * Pointers are byte addresses in the linear memory, sizes count elements, flags are booleans or 0 and 1.
 * Formulas, orders of sums and error bounds stand at the kernels in `assembly/`.
 */

/** A flag handed to a kernel. */
export type Flag = boolean | 0 | 1;

export interface Kernels {
  // index.ts

  /** First free byte of linear memory. */
  heapBase(): number;

  // gemm/gemm.ts

  /**
   * c[m, n] = act(op(a)·op(b) + bias), or c += … with `accumulate`; lda, ldb, ldc are row strides as stored. Subnormal
   * elements of b count as zeros, unless b is taken `asIs`.
   */
  gemm(
    transposeA: Flag,
    transposeB: Flag,
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    b: number,
    ldb: number,
    c: number,
    ldc: number,
    bias: number,
    activation: number,
    alpha: number,
    accumulate: Flag,
    workspace: number,
    asIs?: Flag,
  ): void;
  /** Floats of workspace for `gemm`. */
  gemmWorkspace(n: number, k: number): number;

  // im2row.ts

  /** r[n·oh·ow, kh·kw·c] = im2row(x[n, h, w, c]). */
  im2row(window: number, n: number, x: number, r: number): void;
  /** x[n, h, w, c] = col2im(r[n·oh·ow, kh·kw·c]), the adjoint of im2row. */
  col2im(window: number, n: number, r: number, x: number): void;

  // conv2d.ts

  /** Packs filters for conv2dForward, once for each change of them. */
  conv2dPackFilters(window: number, f: number, groups: number, w: number, packed: number): void;
  conv2dPackedFilters(window: number, f: number, groups: number): number;
  /** y = act(conv2d(x, w) + b) from packed filters; b is 0 for none. */
  conv2dForward(
    window: number,
    n: number,
    f: number,
    groups: number,
    x: number,
    packed: number,
    b: number,
    y: number,
    activation: number,
    alpha: number,
    workspace: number,
  ): void;
  conv2dForwardWorkspace(window: number, groups: number): number;
  /** dw = im2row(x)ᵀ·dy. */
  conv2dBackpropFilter(
    window: number,
    n: number,
    f: number,
    groups: number,
    x: number,
    dy: number,
    dw: number,
    workspace: number,
  ): void;
  conv2dBackpropFilterWorkspace(window: number, f: number, groups: number): number;
  /** dx = col2im(dy·wᵀ). */
  conv2dBackpropInputCol2im(
    window: number,
    n: number,
    f: number,
    groups: number,
    dy: number,
    w: number,
    dx: number,
    workspace: number,
  ): void;
  conv2dBackpropInputCol2imWorkspace(window: number, f: number, groups: number): number;

  // bias.ts

  /** db[f] = column sums of dy[rows, f]. */
  biasGradient(rows: number, f: number, dy: number, db: number): void;

  // flipped.ts

  /** dx as a correlation of dy with the filters rotated by 180°. */
  conv2dBackpropInputFlipped(
    window: number,
    n: number,
    f: number,
    groups: number,
    dy: number,
    w: number,
    dx: number,
    workspace: number,
  ): void;
  conv2dBackpropInputFlippedWorkspace(window: number, f: number, groups: number): number;

  // depthwise.ts

  /** y = act(depthwise(x, w[kh, kw, c]) + b); b is 0 for none. */
  depthwiseConv2dForward(
    window: number,
    n: number,
    x: number,
    w: number,
    b: number,
    y: number,
    activation: number,
    alpha: number,
    workspace: number,
  ): void;
  depthwiseConv2dBackpropFilter(window: number, n: number, x: number, dy: number, dw: number): void;
  depthwiseConv2dBackpropInput(
    window: number,
    n: number,
    dy: number,
    w: number,
    dx: number,
    workspace: number,
  ): void;
  depthwiseConv2dWorkspace(): number;

  // activation.ts

  /** y = activation(x); y may be x. */
  activationForward(kind: number, alpha: number, x: number, y: number, n: number): void;
  /** dx from dy and the activation's output y, or from softplus on its input; dx may be dy. */
  activationBackward(kind: number, alpha: number, y: number, dy: number, dx: number, n: number): void;

  // softmax.ts

  /** Softmax of each row of x[rows, cols]; y may be x. */
  softmaxForward(x: number, y: number, rows: number, cols: number): void;
  /** dx = y · (dy − Σ dy·y) a row; dx may be dy. */
  softmaxBackward(y: number, dy: number, dx: number, rows: number, cols: number): void;

  // logSoftmax.ts

  /** The logarithm of the softmax of each row of x[rows, cols]; y may be x. */
  logSoftmaxForward(x: number, y: number, rows: number, cols: number): void;
  /** dx = dy − e^y · Σ dy a row; dx may be dy. */
  logSoftmaxBackward(y: number, dy: number, dx: number, rows: number, cols: number): void;

  // unary.ts

  /** y = f(x), by the kinds of `assembly/elementwise/unary.ts`; y may be x. */
  unaryForward(kind: number, alpha: number, beta: number, x: number, y: number, n: number): void;
  /** dx = f′(x)·dy; dx may be dy. */
  unaryBackward(
    kind: number,
    alpha: number,
    beta: number,
    x: number,
    dy: number,
    dx: number,
    n: number,
  ): void;

  // broadcast.ts

  /** y = a ∘ b for n images, repeated as the layout says: `src/kernels/strides.ts` writes it. */
  broadcastForward(kind: number, layout: number, n: number, a: number, b: number, y: number): void;

  // reduce.ts

  /** y = x without the axes that the layout reduces, for n images: `src/kernels/strides.ts` writes it. */
  reduceForward(kind: number, layout: number, n: number, x: number, y: number): void;

  // elementwise.ts

  /** y = a + b; y may be either. */
  addForward(a: number, b: number, y: number, n: number): void;
  /** y = act(a + b); y may be either. */
  addActivated(kind: number, alpha: number, a: number, b: number, y: number, n: number): void;
  /** y = a·b; y may be either. */
  multiplyForward(a: number, b: number, y: number, n: number): void;
  /** y = a − b; y may be either. */
  subtractForward(a: number, b: number, y: number, n: number): void;
  /** y = max(a, b); y may be either. */
  maximumForward(a: number, b: number, y: number, n: number): void;
  /** Moves dy to dx where the operand x is not smaller than the maximum y, and leaves zeros there; dx is 0 for none. */
  maximumBackward(x: number, y: number, dy: number, dx: number, n: number): void;
  /** y = scale·x; y may be x. */
  scaleForward(scale: number, x: number, y: number, n: number): void;
  /** Copies rows of `cols` floats, `xStride` and `yStride` floats apart. */
  copyRows(rows: number, cols: number, x: number, xStride: number, y: number, yStride: number): void;

  // transpose.ts

  /** y[n, sizes…] dense from x, by a table of (size, stride in x) int32 pairs, one an axis of y; `image` is the stride of n. */
  transpose(rank: number, axes: number, n: number, image: number, x: number, y: number): void;

  // resize.ts

  /** y[n, oh, ow, c] from x[n, h, w, c], by tables of the sources of each output row and column. */
  resizeForward(
    rows: number,
    columns: number,
    n: number,
    h: number,
    w: number,
    c: number,
    oh: number,
    ow: number,
    x: number,
    y: number,
  ): void;
  /** dx from dy, the adjoint of resizeForward. */
  resizeBackward(
    rows: number,
    columns: number,
    n: number,
    h: number,
    w: number,
    c: number,
    oh: number,
    ow: number,
    dy: number,
    dx: number,
  ): void;

  // taps.ts

  /** y[outer, to, inner] from x[outer, from, inner], by a table of weighted elements of the old axis for each new one. */
  tapsForward(
    table: number,
    outer: number,
    from: number,
    to: number,
    inner: number,
    x: number,
    y: number,
  ): void;
  /** dx from dy, the adjoint of tapsForward. */
  tapsBackward(
    table: number,
    outer: number,
    from: number,
    to: number,
    inner: number,
    dy: number,
    dx: number,
  ): void;

  // subnormal.ts

  /** y[n] = x[n] with zeros for subnormal numbers; y may be x. */
  flushSubnormals(n: number, x: number, y: number): void;
  /** Whether any of x[n] is subnormal. */
  hasSubnormals(n: number, x: number): number;

  // rows.ts

  /** y[images, rows, c] = x + s[images, c]; y may be x. */
  addRowsForward(images: number, rows: number, c: number, x: number, s: number, y: number): void;
  /** ds[images, c] = column sums of dy[images, rows, c]. */
  addRowsBackward(images: number, rows: number, c: number, dy: number, ds: number): void;
  /** y[images, rows, c] = x·s[images, c]; y may be x. */
  multiplyRowsForward(images: number, rows: number, c: number, x: number, s: number, y: number): void;
  /** ds[images, c] = column sums of dy·x. */
  multiplyRowsBackward(images: number, rows: number, c: number, dy: number, x: number, ds: number): void;
  /** y[rows, c] = x > 0 ? x : alpha[c]·x; y may be x. */
  preluForward(rows: number, c: number, x: number, alpha: number, y: number): void;
  /** dx = x > 0 ? dy : alpha·dy; dx may be dy. */
  preluBackpropInput(rows: number, c: number, x: number, alpha: number, dy: number, dx: number): void;
  /** dalpha[c] = column sums of dy·min(x, 0). */
  preluBackpropAlpha(rows: number, c: number, x: number, dy: number, dalpha: number): void;

  // fold.ts

  /** Weights w[rows, f] and a bias to which batch normalization after them is folded; b, gamma and beta may be 0. */
  foldNormalization(
    rows: number,
    f: number,
    w: number,
    b: number,
    mean: number,
    variance: number,
    epsilon: number,
    gamma: number,
    beta: number,
    foldedW: number,
    foldedB: number,
  ): void;

  // normalization.ts

  /** Mean and variance [images, groups] of x[images, rows, c]: of every image's groups of channels. */
  normalizeStatistics(
    images: number,
    rows: number,
    c: number,
    groups: number,
    x: number,
    mean: number,
    variance: number,
    workspace: number,
  ): void;
  /** y = (x − mean)·gamma / √(variance + epsilon) + beta; y may be x, gamma and beta may be 0. */
  normalizeForward(
    images: number,
    rows: number,
    c: number,
    groups: number,
    x: number,
    mean: number,
    variance: number,
    epsilon: number,
    gamma: number,
    beta: number,
    y: number,
    workspace: number,
  ): void;
  normalizeWorkspace(c: number): number;

  // normalizationBackward.ts

  /** The gradients of normalizeForward, each 0 when not needed; with `fixed`, mean and variance do not follow from x. */
  normalizeBackward(
    images: number,
    rows: number,
    c: number,
    groups: number,
    x: number,
    dy: number,
    mean: number,
    variance: number,
    epsilon: number,
    gamma: number,
    fixed: Flag,
    dx: number,
    dgamma: number,
    dbeta: number,
    workspace: number,
  ): void;

  // movingAverage.ts

  /** moving = momentum·moving + (1 − momentum)·scale·value; returns 1 when all is finite. Stores only with `commit`. */
  movingAverage(
    moving: number,
    value: number,
    n: number,
    momentum: number,
    scale: number,
    commit: Flag,
  ): number;

  // loss.ts

  /** Mean cross-entropy of softmax(logits) against int32 class numbers; writes { f64 loss, i32 correct }. */
  softmaxCrossEntropySparse(
    logits: number,
    labels: number,
    smoothing: number,
    dx: number,
    rows: number,
    cols: number,
    result: number,
  ): void;
  /** Mean cross-entropy of softmax(logits) against target rows; writes { f64 loss, i32 correct }. */
  softmaxCrossEntropyDense(
    logits: number,
    targets: number,
    smoothing: number,
    dx: number,
    rows: number,
    cols: number,
    result: number,
  ): void;

  // pointwiseLoss.ts

  /** Mean over all elements of the loss of y against the target; writes { f64 loss, i32 correct }. */
  pointwiseLoss(
    kind: number,
    delta: number,
    y: number,
    targets: number,
    dx: number,
    rows: number,
    cols: number,
    result: number,
  ): void;

  // optimizer.ts

  /** One step of SGD; returns 1 when all new values are finite. Nothing is stored without `commit`. */
  sgdStep(
    w: number,
    g: number,
    v: number,
    n: number,
    learningRate: number,
    momentum: number,
    weightDecay: number,
    nesterov: Flag,
    commit: Flag,
  ): number;
  /** One step of Adam or AdamW; returns 1 when all new values are finite. Nothing is stored without `commit`. */
  adamStep(
    w: number,
    g: number,
    m: number,
    v: number,
    n: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    decoupled: Flag,
    correction1: number,
    correction2: number,
    commit: Flag,
  ): number;

  // clip.ts

  /** Σ g² over n elements. */
  sumOfSquares(g: number, n: number): number;
  /** g = scale·g, cut to ±limit. */
  clipGradient(g: number, n: number, scale: number, limit: number): void;

  // dropout.ts

  /**
   * y = hash < keepBelow ? x · scale : 0 for n images of size elements; the hash follows from the seed, the step, the layer,
   * the image's place in the batch, which begins with firstImage, and the element. y may be x.
   */
  dropout(
    x: number,
    y: number,
    n: number,
    size: number,
    keepBelow: number,
    scale: number,
    seedLow: number,
    seedHigh: number,
    step: number,
    layer: number,
    firstImage: number,
  ): void;

  // maxPool.ts

  /** Maxima of the windows of n images, and the winners' int32 indices within their images; argmax is 0 for none. */
  maxPool2dForward(window: number, n: number, x: number, y: number, argmax: number): void;
  /** Scatter-adds dy to the winners; ySize and xSize count one image's elements. */
  maxPool2dBackward(n: number, dy: number, argmax: number, dx: number, ySize: number, xSize: number): void;

  // pool.ts

  /** Means of the windows of n images, without the padding. */
  averagePool2dForward(window: number, n: number, x: number, y: number): void;
  /** Spreads each dy evenly over the pixels of its window. */
  averagePool2dBackward(window: number, n: number, dy: number, dx: number): void;
  /** y[n, c] = mean over the pixels of x[n, pixels, c]. */
  globalAveragePool2dForward(n: number, pixels: number, c: number, x: number, y: number): void;
  /** dx[n, pixels, c] = dy[n, c] / pixels. */
  globalAveragePool2dBackward(n: number, pixels: number, c: number, dy: number, dx: number): void;

  // winograd/

  /** Transforms and packs w[3, 3, c, f] for winogradForward; rotated, for winogradBackpropInput. */
  winogradPackFilters(c: number, f: number, w: number, packed: number): void;
  winogradPackRotatedFilters(c: number, f: number, w: number, packed: number): void;
  winogradPackedFilters(c: number, f: number): number;
  /** As conv2dForward, for 3×3 filters at stride 1. */
  winogradForward(
    window: number,
    n: number,
    f: number,
    x: number,
    packed: number,
    b: number,
    y: number,
    activation: number,
    alpha: number,
    workspace: number,
  ): void;
  winogradForwardWorkspace(c: number, f: number): number;
  winogradBackpropFilter(
    window: number,
    n: number,
    f: number,
    x: number,
    dy: number,
    dw: number,
    workspace: number,
  ): void;
  winogradBackpropFilterWorkspace(c: number, f: number): number;
  winogradBackpropInput(
    window: number,
    n: number,
    f: number,
    dy: number,
    packed: number,
    dx: number,
    workspace: number,
  ): void;
  winogradBackpropInputWorkspace(c: number, f: number): number;
}
