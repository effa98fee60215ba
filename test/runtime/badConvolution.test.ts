/** The convolutions among the eager operators refuse bad input. */
import { load, OptionError, ShapeError, type Tensor } from "im2row";
import { describeRefusals, untyped, zeros, type Refusal } from "../support/refusals.ts";

const engine = await load();

const x = zeros(1, 5, 5, 4);
const filter = zeros(3, 3, 4, 6);
const dy = zeros(1, 3, 3, 6);
const short: Tensor = { shape: [1, 5, 5, 4], data: new Float32Array(99) };
const doubles = untyped({ shape: [1, 5, 5, 4], data: new Float64Array(100) });

const conv2d: Refusal[] = [
  [
    "an image of rank 3",
    () => engine.conv2d(zeros(5, 5, 4), filter),
    ShapeError,
    /^conv2d: x: expected 4 dimensions, got 3 \(5×5×4\)$/,
  ],
  [
    "a filter of rank 3",
    () => engine.conv2d(x, zeros(3, 3, 4)),
    ShapeError,
    /^conv2d: filter: expected 4 dimensions, got 3 \(3×3×4\)$/,
  ],
  [
    "a filter for other channels",
    () => engine.conv2d(x, zeros(3, 3, 3, 6)),
    ShapeError,
    /^conv2d: filter: expected \[kh, kw, 4, filters\] for 4 channels in 1 group, got 3×3×3×6$/,
  ],
  [
    "a filter that forgets the groups",
    () => engine.conv2d(x, filter, { groups: 2 }),
    ShapeError,
    /^conv2d: filter: expected \[kh, kw, 2, filters\] for 4 channels in 2 groups, got 3×3×4×6$/,
  ],
  [
    "groups that do not divide the channels",
    () => engine.conv2d(x, filter, { groups: 3 }),
    OptionError,
    /^conv2d: groups: expected a divisor of 4 input channels and 6 filters, got 3$/,
  ],
  [
    "groups that do not divide the filters",
    () => engine.conv2d(x, zeros(3, 3, 1, 6), { groups: 4 }),
    OptionError,
    /^conv2d: groups: expected a divisor of 4 input channels and 6 filters, got 4$/,
  ],
  [
    "no groups",
    () => engine.conv2d(x, filter, { groups: 0 }),
    OptionError,
    /^conv2d: groups: expected a positive integer, got 0$/,
  ],
  [
    "a bias of another length",
    () => engine.conv2d(x, filter, { bias: zeros(5) }),
    ShapeError,
    /^conv2d: bias: expected shape 6, got 5$/,
  ],
  [
    "a bias of rank 2",
    () => engine.conv2d(x, filter, { bias: zeros(1, 6) }),
    ShapeError,
    /^conv2d: bias: expected shape 6, got 1×6$/,
  ],
  [
    "a bias that is an array",
    () => engine.conv2d(x, filter, { bias: untyped([1, 2, 3, 4, 5, 6]) }),
    ShapeError,
    /^conv2d: bias.shape: expected a shape .*, got undefined$/,
  ],
  [
    "an unknown option",
    () => engine.conv2d(x, filter, untyped({ stride: 2 })),
    OptionError,
    /^conv2d: expected the options strides, .*algorithm; got "stride"$/,
  ],
  [
    "options that are none",
    () => engine.conv2d(x, filter, untyped("same")),
    OptionError,
    /^conv2d: expected an object of options \{ strides: … \}, got "same"$/,
  ],
  [
    "an unknown algorithm",
    () => engine.conv2d(x, filter, { algorithm: untyped("fft") }),
    OptionError,
    /^conv2d: algorithm: expected one of "auto", "im2row", "winograd", "depthwise"; got "fft"$/,
  ],
  [
    "an algorithm of the input gradient",
    () => engine.conv2d(x, filter, { algorithm: untyped("flipped") }),
    OptionError,
    /^conv2d: algorithm: expected one of .*; got "flipped"$/,
  ],
  [
    "the depthwise algorithm without groups",
    () => engine.conv2d(x, filter, { algorithm: "depthwise" }),
    OptionError,
    /^conv2d: algorithm: expected as many groups and filters as channels \(4\).*, got 1 group and 6 filters$/,
  ],
  [
    "a filter higher than the image",
    () => engine.conv2d(x, zeros(6, 3, 4, 6)),
    ShapeError,
    /^conv2d: height: expected an image of at least 6 with its padding, got 5 \+ 0 \+ 0$/,
  ],
  [
    "a dilated filter wider than the padded image",
    () =>
      engine.conv2d(x, filter, {
        dilationRate: [1, 4],
        padding: untyped([
          [0, 0],
          [1, 2],
        ]),
      }),
    ShapeError,
    /^conv2d: width: expected an image of at least 9 with its padding, got 5 \+ 1 \+ 2$/,
  ],
  [
    "negative padding",
    () =>
      engine.conv2d(x, filter, {
        padding: [
          [-1, 0],
          [0, 0],
        ],
      }),
    OptionError,
    /^conv2d: padding: expected "same", "valid" or .* integers ≥ 0, got \[\[-1,0\],\[0,0\]\]$/,
  ],
  [
    "padding of an unknown name",
    () => engine.conv2d(x, filter, { padding: untyped("full") }),
    OptionError,
    /^conv2d: padding: expected "same", "valid" or .*, got "full"$/,
  ],
  [
    "padding as a number",
    () => engine.conv2d(x, filter, { padding: untyped(1) }),
    OptionError,
    /^conv2d: padding: expected .*, got 1$/,
  ],
  [
    "strides of 0",
    () => engine.conv2d(x, filter, { strides: 0 }),
    OptionError,
    /^conv2d: strides: expected a positive integer or \[height, width\] of such, got 0$/,
  ],
  [
    "a broken dilation",
    () => engine.conv2d(x, filter, { dilationRate: [1, 1.5] }),
    OptionError,
    /^conv2d: dilationRate: expected a positive integer .*, got \[1,1.5\]$/,
  ],
  [
    "an unknown activation",
    () => engine.conv2d(x, filter, { activation: untyped("swoosh") }),
    OptionError,
    /^conv2d: activation: expected one of "linear", .*; got "swoosh"$/,
  ],
  [
    "a negative slope",
    () => engine.conv2d(x, filter, { activation: { leakyRelu: -1 } }),
    OptionError,
    /^conv2d: activation: leakyRelu: expected a finite number ≥ 0, got -1$/,
  ],
  [
    "an image with too few data",
    () => engine.conv2d(short, filter),
    ShapeError,
    /^conv2d: x.data: expected 100 elements for shape 1×5×5×4, got 99$/,
  ],
  [
    "an image of float64",
    () => engine.conv2d(doubles, filter),
    ShapeError,
    /^conv2d: x.data: expected a Float32Array, got Float64Array of 100$/,
  ],
  [
    "no image",
    () => engine.conv2d(untyped(undefined), filter),
    ShapeError,
    /^conv2d: x.shape: .*, got undefined$/,
  ],
];

const gradients: Refusal[] = [
  [
    "dy of another size, in the input gradient",
    () => engine.conv2dBackpropInput(zeros(1, 5, 5, 6), filter, x.shape),
    ShapeError,
    /^conv2dBackpropInput: dy: expected shape 1×3×3×6, got 1×5×5×6$/,
  ],
  [
    "dy of another batch, in the input gradient",
    () => engine.conv2dBackpropInput(zeros(2, 3, 3, 6), filter, x.shape),
    ShapeError,
    /^conv2dBackpropInput: dy: expected shape 1×3×3×6, got 2×3×3×6$/,
  ],
  [
    "an image shape of rank 3",
    () => engine.conv2dBackpropInput(dy, filter, [5, 5, 4]),
    ShapeError,
    /^conv2dBackpropInput: xShape: expected \[n, height, width, channels\], got 5×5×4$/,
  ],
  [
    "an image shape with a zero",
    () => engine.conv2dBackpropInput(dy, filter, [0, 5, 5, 4]),
    ShapeError,
    /^conv2dBackpropInput: xShape: expected a shape of positive integers, got \[0,5,5,4\]$/,
  ],
  [
    "an image shape of other channels",
    () => engine.conv2dBackpropInput(dy, filter, [1, 5, 5, 3]),
    ShapeError,
    /^conv2dBackpropInput: filter: expected \[kh, kw, 3, filters\] .*, got 3×3×4×6$/,
  ],
  [
    "an unknown algorithm of the input gradient",
    () => engine.conv2dBackpropInput(dy, filter, x.shape, { algorithm: untyped("fft") }),
    OptionError,
    /^conv2dBackpropInput: algorithm: expected one of .*"col2im", "flipped"; got "fft"$/,
  ],
  [
    "an unknown option of the input gradient",
    () => engine.conv2dBackpropInput(dy, filter, x.shape, untyped({ bias: 1 })),
    OptionError,
    /^conv2dBackpropInput: expected the options .*; got "bias"$/,
  ],
  [
    "dy of another size, in the filter gradient",
    () => engine.conv2dBackpropFilter(x, zeros(1, 3, 3, 5), filter.shape),
    ShapeError,
    /^conv2dBackpropFilter: dy: expected shape 1×3×3×6, got 1×3×3×5$/,
  ],
  [
    "a filter shape of rank 3",
    () => engine.conv2dBackpropFilter(x, dy, [3, 3, 4]),
    ShapeError,
    /^conv2dBackpropFilter: filterShape: expected \[kh, kw, 4, filters\] .*, got 3×3×4$/,
  ],
  [
    "a filter shape of other channels",
    () => engine.conv2dBackpropFilter(x, dy, [3, 3, 2, 6]),
    ShapeError,
    /^conv2dBackpropFilter: filterShape: expected \[kh, kw, 4, filters\] .*, got 3×3×2×6$/,
  ],
  [
    "dy with too few data",
    () => engine.conv2dBackpropFilter(x, { shape: dy.shape, data: new Float32Array(1) }, filter.shape),
    ShapeError,
    /^conv2dBackpropFilter: dy.data: expected 54 elements for shape 1×3×3×6, got 1$/,
  ],
];

const unfolding: Refusal[] = [
  [
    "padding beyond 32 bits",
    () =>
      engine.conv2d(zeros(1, 1, 1, 1), zeros(2, 2, 1, 1), {
        dilationRate: 50_000,
        padding: [
          [25_000, 25_000],
          [25_000, 25_000],
        ],
      }),
    ShapeError,
    /^conv2d: expected at most 1073741824 elements in an image with its padding, got 50001×50001×1$/,
  ],
  [
    "im2row without a size",
    () => engine.im2row(x, untyped({})),
    OptionError,
    /^im2row: kernelSize: .*, got undefined$/,
  ],
  [
    "im2row without options",
    () => engine.im2row(x, untyped(undefined)),
    OptionError,
    /^im2row: .*, got undefined$/,
  ],
  [
    "im2row of a matrix",
    () => engine.im2row(zeros(5, 5), { kernelSize: 2 }),
    ShapeError,
    /^im2row: x: expected 4 dimensions, got 2 \(5×5\)$/,
  ],
  [
    "col2im of rows of another number",
    () => engine.col2im(zeros(9, 36), x.shape, { kernelSize: 3, strides: 2 }),
    ShapeError,
    /^col2im: rows: expected shape 4×36, got 9×36$/,
  ],
  [
    "col2im to a shape of rank 2",
    () => engine.col2im(zeros(9, 36), [5, 5], { kernelSize: 3 }),
    ShapeError,
    /^col2im: xShape: expected \[n, height, width, channels\], got 5×5$/,
  ],
];

describeRefusals(engine, "conv2d", conv2d);
describeRefusals(engine, "the gradients of conv2d", gradients);
describeRefusals(engine, "im2row and col2im", unfolding);
