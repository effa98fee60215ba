/** Every option of every layer, optimizer, loss and method refuses what it cannot be: the place, the expected, the given. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";

/** What a caller without types may hand over. */
type Any = never;

const conv = (more: object): Layer => layers.conv2d({ filters: 2, kernelSize: 1, ...more } as Any);
const conv1d = (more: object): Layer => layers.conv1d({ filters: 2, kernelSize: 1, ...more } as Any);
const transposed = (more: object): Layer =>
  layers.conv2dTranspose({ filters: 2, kernelSize: 1, ...more } as Any);
const separable = (more: object): Layer =>
  layers.separableConv2d({ filters: 2, kernelSize: 1, ...more } as Any);
const sgd = (more: object): unknown => optimizers.sgd({ learningRate: 1, ...more } as Any);

const PADDINGS = `expected "same", "valid" or [[top, bottom], [left, right]] of integers ≥ 0`;
const NUMBER = "expected a finite number ≥ 0";
const TARGET = "expected positive integers, one of which may be -1";
const MARGIN = "expected an integer ≥ 0, [rows, columns] or [[top, bottom], [left, right]] of them";
const AXES = "expected the axes 1, 2 … in any order";
const FIRST = "expected the first axes, 1, 2 …";
const PAIR = "[before, after] of integers ≥ 0";
const EXTRA = "expected integers from 0 and below the strides";
const COUNT = "expected a positive integer";
const SIZE = "expected a positive integer or [height, width] of such";

describe("a layer refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      "conv2d: expected an object of options, got undefined": () => layers.conv2d(undefined as Any),
      [`strides, padding, dilationRate, activation`]: () =>
        layers.conv2d({ filters: 1, kernelSize: 1, stride: 2 } as Any),
      [`biasInitializer, name, filters, groups; got "stride"`]: () =>
        layers.conv2d({ filters: 1, kernelSize: 1, stride: 2 } as Any),
      [`conv2d: filters: ${COUNT}, got 0`]: () => layers.conv2d({ filters: 0, kernelSize: 1 }),
      [`conv2d: filters: ${COUNT}, got undefined`]: () => layers.conv2d({ kernelSize: 1 } as Any),
      [`conv2d: filters: ${COUNT}, got NaN`]: () => layers.conv2d({ filters: NaN, kernelSize: 1 }),
      [`conv2d: kernelSize: ${SIZE}, got undefined`]: () => layers.conv2d({ filters: 2 } as Any),
      [`conv2d: kernelSize: ${SIZE}, got [3,0]`]: () => layers.conv2d({ filters: 2, kernelSize: [3, 0] }),
      [`conv2d: kernelSize: ${SIZE}, got 1.5`]: () => layers.conv2d({ filters: 2, kernelSize: 1.5 }),
      [`conv2d: strides: ${SIZE}, got 0`]: () => conv({ strides: 0 }),
      [`conv2d: strides: ${SIZE}, got [1,1,1]`]: () => conv({ strides: [1, 1, 1] }),
      [`conv2d: dilationRate: ${SIZE}, got -1`]: () => conv({ dilationRate: -1 }),
      [`conv2d: padding: ${PADDINGS}, got "full"`]: () => conv({ padding: "full" }),
      [`conv2d: padding: ${PADDINGS}, got [[0,-1],[0,0]]`]: () =>
        conv({
          padding: [
            [0, -1],
            [0, 0],
          ],
        }),
      [`conv2d: groups: ${COUNT}, got 0`]: () => conv({ groups: 0 }),
      [`conv2d: useBias: expected true or false, got "no"`]: () => conv({ useBias: "no" }),
      [`conv2d: activation: expected one of "linear", "relu", "leakyRelu", "sigmoid", "tanh", "softmax", "relu6", "elu", "selu", "hardSigmoid", "softplus", "silu", "swish", "hardSwish", "gelu", "geluTanh", "mish"; got "swoosh"`]:
        () => conv({ activation: "swoosh" }),
      [`conv2d: activation: leakyRelu: ${NUMBER}, got -1`]: () => conv({ activation: { leakyRelu: -1 } }),
      "conv2d: activation: elu: expected a number that float32 can hold, got 1e+39": () =>
        conv({ activation: { elu: 1e39 } }),
      [`conv2d: activation: elu: ${NUMBER}, got NaN`]: () => conv({ activation: { elu: NaN } }),
      [`conv2d: activation: hardSigmoid: ${NUMBER}, got "1"`]: () =>
        conv({ activation: { hardSigmoid: "1" } }),
      [`got {"gelu":1}`]: () => conv({ activation: { gelu: 1 } }),
      [`got {"elu":1,"leakyRelu":1}`]: () => conv({ activation: { elu: 1, leakyRelu: 1 } }),
      [`conv2d: kernelInitializer: expected one of "zeros", "ones", "glorotUniform"`]: () =>
        conv({ kernelInitializer: "he" }),
      [`conv2d: biasInitializer: constant: expected a finite float32, got NaN`]: () =>
        conv({ biasInitializer: { constant: NaN } }),
      [`conv2dTranspose: filters: ${COUNT}, got 0`]: () =>
        layers.conv2dTranspose({ filters: 0, kernelSize: 1 }),
      [`conv2dTranspose: kernelSize: ${SIZE}, got undefined`]: () =>
        layers.conv2dTranspose({ filters: 1 } as Any),
      [`conv2dTranspose: groups: ${COUNT}, got 1.5`]: () => transposed({ groups: 1.5 }),
      [`conv2dTranspose: padding: ${PADDINGS}, got "full"`]: () => transposed({ padding: "full" }),
      [`conv2dTranspose: outputPadding: ${EXTRA} 2×1, got [1,1]`]: () =>
        transposed({ strides: [2, 1], outputPadding: [1, 1] }),
      [`conv2dTranspose: outputPadding: ${EXTRA} 1×1, got 1`]: () => transposed({ outputPadding: 1 }),
      [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got -1`]: () =>
        transposed({ strides: 3, outputPadding: -1 }),
      [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got "same"`]: () =>
        transposed({ strides: 3, outputPadding: "same" }),
      [`name, filters, outputPadding, groups; got "stride"`]: () => transposed({ stride: 2 }),
      [`separableConv2d: filters: ${COUNT}, got undefined`]: () =>
        layers.separableConv2d({ kernelSize: 1 } as Any),
      [`separableConv2d: kernelSize: ${SIZE}, got 0`]: () => separable({ kernelSize: 0 }),
      [`separableConv2d: depthMultiplier: ${COUNT}, got 0.5`]: () => separable({ depthMultiplier: 0.5 }),
      "separableConv2d: depthwiseInitializer: expected one of": () =>
        separable({ depthwiseInitializer: "he" }),
      "separableConv2d: pointwiseInitializer: constant: expected a finite float32, got NaN": () =>
        separable({ pointwiseInitializer: { constant: NaN } }),
      [`filters, depthMultiplier, depthwiseInitializer, pointwiseInitializer; got "kernelInitializer"`]: () =>
        separable({ kernelInitializer: "ones" }),
      [`separableConv2d: useBias: expected true or false, got 1`]: () => separable({ useBias: 1 }),
      [`conv1d: filters: ${COUNT}, got undefined`]: () => layers.conv1d({ kernelSize: 1 } as Any),
      [`conv1d: kernelSize: ${COUNT}, got [1,3]`]: () =>
        layers.conv1d({ filters: 1, kernelSize: [1, 3] as Any }),
      [`conv1d: strides: ${COUNT}, got 0`]: () => conv1d({ strides: 0 }),
      [`conv1d: dilationRate: ${COUNT}, got 1.5`]: () => conv1d({ dilationRate: 1.5 }),
      [`conv1d: groups: ${COUNT}, got -1`]: () => conv1d({ groups: -1 }),
      [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [[0,0],[1,1]]`]: () =>
        conv1d({
          padding: [
            [0, 0],
            [1, 1],
          ],
        }),
      [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [0,-1]`]: () =>
        conv1d({ padding: [0, -1] }),
      "conv1d: useBias: expected true or false, got 1": () => conv1d({ useBias: 1 }),
      [`name, filters, groups; got "stride"`]: () => conv1d({ stride: 2 }),
      [`maxPooling1d: poolSize: ${COUNT}, got 0`]: () => layers.maxPooling1d({ poolSize: 0 }),
      [`averagePooling1d: strides: ${COUNT}, got [1,1]`]: () =>
        layers.averagePooling1d({ strides: [1, 1] as Any }),
      [`maxPooling1d: padding: expected "same", "valid" or ${PAIR}, got "causal"`]: () =>
        layers.maxPooling1d({ padding: "causal" as Any }),
      "averagePooling1d: padding: expected less than the pool size 2, got [0,2]": () =>
        layers.averagePooling1d({ padding: [0, 2] }),
      "maxPooling2d: padding: expected less than the pool size 2×2, got [[2,0],[0,0]]": () =>
        layers.maxPooling2d({
          padding: [
            [2, 0],
            [0, 0],
          ],
        }),
      [`globalMaxPooling1d: expected the options name; got "poolSize"`]: () =>
        layers.globalMaxPooling1d({ poolSize: 2 } as Any),
      [`depthwiseConv2d: depthMultiplier: ${COUNT}, got 0`]: () =>
        layers.depthwiseConv2d({ kernelSize: 1, depthMultiplier: 0 }),
      [`depthMultiplier; got "filters"`]: () => layers.depthwiseConv2d({ kernelSize: 1, filters: 2 } as Any),
      [`depthwiseConv2d: kernelSize: ${SIZE}, got 0`]: () => layers.depthwiseConv2d({ kernelSize: 0 }),
      [`maxPooling2d: poolSize: ${SIZE}, got 0`]: () => layers.maxPooling2d({ poolSize: 0 }),
      [`maxPooling2d: strides: ${SIZE}, got 0`]: () => layers.maxPooling2d({ strides: 0 }),
      [`maxPooling2d: expected the options poolSize, strides, padding, name; got "size"`]: () =>
        layers.maxPooling2d({ size: 2 } as Any),
      [`averagePooling2d: padding: ${PADDINGS}, got 1`]: () => layers.averagePooling2d({ padding: 1 as Any }),
      [`globalAveragePooling2d: expected the options name; got "poolSize"`]: () =>
        layers.globalAveragePooling2d({ poolSize: 2 } as Any),
      [`globalMaxPooling2d: expected the options name; got "poolSize"`]: () =>
        layers.globalMaxPooling2d({ poolSize: 2 } as Any),
      [`reshape: targetShape: ${TARGET}, got [-1,-1]`]: () => layers.reshape({ targetShape: [-1, -1] }),
      [`reshape: targetShape: ${TARGET}, got []`]: () => layers.reshape({ targetShape: [] }),
      [`reshape: targetShape: ${TARGET}, got 3`]: () => layers.reshape({ targetShape: 3 as Any }),
      [`permute: dims: ${AXES}, got [1,3]`]: () => layers.permute({ dims: [1, 3] }),
      [`permute: dims: ${AXES}, got [1,1,2]`]: () => layers.permute({ dims: [1, 1, 2] }),
      [`permute: dims: ${AXES}, got []`]: () => layers.permute({ dims: [] }),
      [`permute: dims: ${AXES}, got 2`]: () => layers.permute({ dims: 2 as Any }),
      [`permute: expected the options dims, name; got "perm"`]: () => layers.permute({ perm: [1] } as Any),
      [`upSampling2d: size: ${SIZE}, got 0.5`]: () => layers.upSampling2d({ size: 0.5 }),
      [`upSampling2d: interpolation: expected one of "nearest", "bilinear"; got "bicubic"`]: () =>
        layers.upSampling2d({ interpolation: "bicubic" as Any }),
      [`upSampling2d: expected the options size, interpolation, name; got "factor"`]: () =>
        layers.upSampling2d({ factor: 2 } as Any),
      [`zeroPadding2d: padding: ${MARGIN}, got -1`]: () => layers.zeroPadding2d({ padding: -1 }),
      [`zeroPadding2d: padding: ${MARGIN}, got [1,[1,1]]`]: () =>
        layers.zeroPadding2d({ padding: [1, [1, 1]] as Any }),
      [`cropping2d: cropping: ${MARGIN}, got undefined`]: () => layers.cropping2d({} as Any),
      [`add: expected the options name; got "axis"`]: () => layers.add({ axis: 1 } as Any),
      [`subtract: expected the options name; got "axis"`]: () => layers.subtract({ axis: 1 } as Any),
      [`average: expected the options name; got "axis"`]: () => layers.average({ axis: 1 } as Any),
      [`maximum: expected the options name; got "axis"`]: () => layers.maximum({ axis: 1 } as Any),
      [`concatenate: axis: expected an integer other than 0, the batch, got 1.5`]: () =>
        layers.concatenate({ axis: 1.5 }),
      [`flatten: expected the options name; got "axis"`]: () => layers.flatten({ axis: 1 } as Any),
      [`dense: units: ${COUNT}, got 0`]: () => layers.dense({ units: 0 }),
      [`batchNormalization: epsilon: ${NUMBER}, got -1`]: () => layers.batchNormalization({ epsilon: -1 }),
      "batchNormalization: momentum: expected a number from 0 to 1, got 1.5": () =>
        layers.batchNormalization({ momentum: 1.5 }),
      [`batchNormalization: momentum: ${NUMBER}, got "0.9"`]: () =>
        layers.batchNormalization({ momentum: "0.9" as Any }),
      "batchNormalization: center: expected true or false, got 1": () =>
        layers.batchNormalization({ center: 1 as Any }),
      "batchNormalization: gammaInitializer: expected one of": () =>
        layers.batchNormalization({ gammaInitializer: "one" as Any }),
      [`betaInitializer, gammaInitializer, name, momentum; got "axis"`]: () =>
        layers.batchNormalization({ axis: 3 } as Any),
      "layerNormalization: scale: expected true or false, got 0": () =>
        layers.layerNormalization({ scale: 0 as Any }),
      "layerNormalization: axis: expected negative integers, counted from the last axis, got 3": () =>
        layers.layerNormalization({ axis: 3 }),
      "layerNormalization: axis: expected negative integers, counted from the last axis, got []": () =>
        layers.layerNormalization({ axis: [] }),
      "layerNormalization: axis: expected the last axes, -1, -2 …, got [-1,-3]": () =>
        layers.layerNormalization({ axis: [-1, -3] }),
      "layerNormalization: axis: expected the last axes, -1, -2 …, got [-1,-1]": () =>
        layers.layerNormalization({ axis: [-1, -1] }),
      [`groupNormalization: groups: ${COUNT}, got 0`]: () => layers.groupNormalization({ groups: 0 }),
      "instanceNormalization: betaInitializer: expected one of": () =>
        layers.instanceNormalization({ betaInitializer: "no" as Any }),
      [`gammaInitializer, name; got "groups"`]: () => layers.instanceNormalization({ groups: 1 } as Any),
      "dense: useBias: expected true or false, got 0": () => layers.dense({ units: 1, useBias: 0 as Any }),
      [`"mish"; got null`]: () => layers.dense({ units: 1, activation: null as Any }),
      "dense: kernelInitializer: expected one of": () =>
        layers.dense({ units: 1, kernelInitializer: {} as Any }),
      "activation: activation: expected one of": () => layers.activation({} as Any),
      [`prelu: sharedAxes: ${FIRST}, got [3]`]: () => layers.prelu({ sharedAxes: [3] }),
      [`prelu: sharedAxes: ${FIRST}, got [1,1]`]: () => layers.prelu({ sharedAxes: [1, 1] }),
      [`prelu: sharedAxes: ${FIRST}, got 1`]: () => layers.prelu({ sharedAxes: 1 as Any }),
      "prelu: alphaInitializer: expected one of": () => layers.prelu({ alphaInitializer: 0.25 as Any }),
      [`prelu: expected the options alphaInitializer, sharedAxes, name; got "alpha"`]: () =>
        layers.prelu({ alpha: 1 } as Any),
      "dropout: rate: expected a number ≥ 0 and < 1, got 1": () => layers.dropout({ rate: 1 }),
      "dropout: rate: expected a number ≥ 0 and < 1, got -0.1": () => layers.dropout({ rate: -0.1 }),
      "dropout: rate: expected a number ≥ 0 and < 1, got undefined": () => layers.dropout({} as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

describe("an optimizer refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      [`sgd: learningRate: ${NUMBER}, got undefined`]: () => optimizers.sgd({} as Any),
      [`sgd: learningRate: ${NUMBER}, got -1`]: () => optimizers.sgd({ learningRate: -1 }),
      [`sgd: learningRate: ${NUMBER}, got Infinity`]: () => optimizers.sgd({ learningRate: Infinity }),
      [`sgd: learningRate: ${NUMBER}, got "0.1"`]: () => optimizers.sgd({ learningRate: "0.1" as Any }),
      [`sgd: expected the options learningRate, momentum, nesterov, weightDecay, globalClipNorm, clipValue; got "lr"`]:
        () => sgd({ lr: 1 }),
      [`sgd: momentum: ${NUMBER}, got NaN`]: () => sgd({ momentum: NaN }),
      "sgd: globalClipNorm: expected a number above 0, got 0": () => sgd({ globalClipNorm: 0 }),
      [`sgd: clipValue: ${NUMBER}, got NaN`]: () => sgd({ clipValue: NaN }),
      [`adam: globalClipNorm: ${NUMBER}, got Infinity`]: () => optimizers.adam({ globalClipNorm: Infinity }),
      "adamw: clipValue: expected a number above 0, got 0": () => optimizers.adamw({ clipValue: 0 }),
      [`sgd: weightDecay: ${NUMBER}, got -1`]: () => sgd({ weightDecay: -1 }),
      "sgd: nesterov: expected a momentum above 0, got 0": () => sgd({ nesterov: true }),
      "sgd: nesterov: expected true or false, got 1": () => sgd({ nesterov: 1 }),
      [`adam: learningRate: ${NUMBER}, got NaN`]: () => optimizers.adam({ learningRate: NaN }),
      "adam: beta1: expected a number ≥ 0 and < 1, got 1": () => optimizers.adam({ beta1: 1 }),
      "adam: beta2: expected a number ≥ 0 and < 1, got -1": () => optimizers.adam({ beta2: -1 }),
      [`adam: epsilon: ${NUMBER}, got -1`]: () => optimizers.adam({ epsilon: -1 }),
      "adam: epsilon: expected a float32 above 0, got 1e-60": () => optimizers.adam({ epsilon: 1e-60 }),
      [`adamw: weightDecay: ${NUMBER}, got Infinity`]: () => optimizers.adamw({ weightDecay: Infinity }),
      [`adamw: expected the options learningRate, beta1, beta2, epsilon, weightDecay, globalClipNorm, clipValue; got "momentum"`]:
        () => optimizers.adamw({ momentum: 0.9 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

describe("a loss refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      "softmaxCrossEntropy: labelSmoothing: expected a number ≥ 0 and < 1, got 1": () =>
        losses.softmaxCrossEntropy({ labelSmoothing: 1 }),
      "softmaxCrossEntropy: labelSmoothing: expected a number ≥ 0 and < 1, got -0.1": () =>
        losses.softmaxCrossEntropy({ labelSmoothing: -0.1 }),
      [`huber: delta: ${NUMBER}, got -1`]: () => losses.huber({ delta: -1 }),
      "huber: delta: expected a float32 above 0, got 0": () => losses.huber({ delta: 0 }),
      "huber: delta: expected a float32 above 0, got 1e+39": () => losses.huber({ delta: 1e39 }),
      [`softmaxCrossEntropy: expected the options labelSmoothing; got "smoothing"`]: () =>
        losses.softmaxCrossEntropy({ smoothing: 0.1 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

describe("a model refuses to be built with", () => {
  const build = (inputShape: readonly number[], ...list: Layer[]): Model =>
    sequential({ inputShape, layers: list });
  const filters = (kernelSize: number, more = {}): Layer => conv({ filters: 4, kernelSize, ...more });

  it.each(
    Object.entries<() => unknown>({
      "conv2d_1: height: expected an image of at least 9 with its padding, got 5 + 0 + 0": () =>
        build([7, 7, 3], filters(3), filters(9)),
      "wide: width: expected an image of at least 5 with its padding, got 4 + 0 + 0": () =>
        build([9, 4, 3], filters(3, { dilationRate: 2, name: "wide" })),
      "maxPooling2d: height: expected an image of at least 8 with its padding, got 7 + 0 + 0": () =>
        build([7, 7, 3], layers.maxPooling2d({ poolSize: 8 })),
      "zeroPadding2d: expected at most 1073741824 elements in an image, got 131079×131079×3": () =>
        build([7, 7, 3], layers.zeroPadding2d({ padding: 2 ** 16 })),
      "conv2d: expected an image [height, width, channels], got 147": () =>
        build([7, 7, 3], layers.flatten(), filters(1)),
      "conv2d: expected an image [height, width, channels], got 7×7": () => build([7, 7], filters(1)),
      "permute: expected 2 dimensions, got 7×7×3": () => build([7, 7, 3], layers.permute({ dims: [2, 1] })),
      "upSampling2d: expected at most 1073741824 elements in an image, got 458752×458752×3": () =>
        build([7, 7, 3], layers.upSampling2d({ size: 2 ** 16 })),
      "conv2dTranspose: expected at most 1073741824 elements in an image with its padding, got 65542×65542×2":
        () => build([7, 7, 3], transposed({ kernelSize: 2 ** 16 })),
      "upSampling2d: expected an image [height, width, channels], got 7×7": () =>
        build([7, 7], layers.upSampling2d()),
      "prelu: expected at least 3 dimensions, got 7×3": () =>
        build([7, 3], layers.prelu({ sharedAxes: [1, 2, 3] })),
      "conv2dTranspose: expected an image [height, width, channels], got 7×3": () =>
        build([7, 3], transposed({})),
      "conv2dTranspose: height: expected an output of at least 1 with its padding, got 0": () =>
        build(
          [1, 1, 3],
          transposed({
            padding: [
              [1, 0],
              [0, 0],
            ],
          }),
        ),
      "separableConv2d: expected an image [height, width, channels], got 7×3": () =>
        build([7, 3], separable({})),
      "separableConv2d: width: expected an image of at least 8 with its padding, got 7 + 0 + 0": () =>
        build([9, 7, 3], separable({ kernelSize: 8 })),
      "conv1d: expected a sequence [steps, channels], got 7×7×3": () => build([7, 7, 3], conv1d({})),
      "conv1d: expected at least 7 steps with their padding, got 5 + 0 + 1": () =>
        build([5, 3], conv1d({ kernelSize: 3, dilationRate: 3, padding: [0, 1] })),
      "maxPooling1d: expected at least 6 steps with their padding, got 5 + 0 + 0": () =>
        build([5, 3], layers.maxPooling1d({ poolSize: 6 })),
      "globalMaxPooling1d: expected a sequence [steps, channels], got 7": () =>
        build([7], layers.globalMaxPooling1d()),
      "layerNormalization: expected at least 3 axes, got 7×3": () =>
        build([7, 3], layers.layerNormalization({ axis: [-1, -2, -3] })),
      "groupNormalization: groups: expected a divisor of the 3 channels (7×7×3), got 2": () =>
        build([7, 7, 3], layers.groupNormalization({ groups: 2 })),
      "globalAveragePooling2d: expected an image [height, width, channels], got 7": () =>
        build([7], layers.globalAveragePooling2d()),
      "model: inputShape: expected a shape of positive integers, got [7,0,3]": () =>
        build([7, 0, 3], filters(3)),
      "model: inputShape: expected a shape of positive integers, got undefined": () =>
        build(undefined as Any, filters(3)),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  it.each(
    Object.entries<() => unknown>({
      "conv2d: groups: expected a divisor of 3 input channels and 4 filters, got 2": () =>
        build([7, 7, 3], filters(3, { groups: 2 })),
      "conv2dTranspose: groups: expected a divisor of 3 input channels and 2 filters, got 2": () =>
        build([7, 7, 3], transposed({ groups: 2 })),
      "conv1d: groups: expected a divisor of 3 input channels and 2 filters, got 2": () =>
        build([7, 3], conv1d({ groups: 2 })),
      "sequential: layers: expected at least one layer, got []": () => build([7, 7, 3]),
      [`sequential: layers[1]: expected one of layers.*, got "relu"`]: () =>
        build([7, 7, 3], filters(3), "relu" as Any),
      [`conv2d: name: expected a name of its own, got "a" for the second time`]: () =>
        build([7, 7, 3], filters(3, { name: "a" }), filters(1, { name: "a" })),
      [`conv2d: name: expected letters, digits, "_" and "-", got "a.b"`]: () =>
        build([7, 7, 3], filters(3, { name: "a.b" })),
      [`conv2d: name: expected letters, digits, "_" and "-", got 5`]: () =>
        build([7, 7, 3], filters(3, { name: 5 })),
      "sequential: seed: expected an integer from 0 to 2^53 - 1, got -1": () =>
        sequential({ inputShape: [1], layers: [layers.flatten()], seed: -1 }),
      "sequential: seed: expected an integer from 0 to 2^53 - 1, got 0.5": () =>
        sequential({ inputShape: [1], layers: [layers.flatten()], seed: 0.5 }),
      [`sequential: expected the options inputShape, layers, seed; got "shape"`]: () =>
        sequential({ shape: [1] } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });

  it("but names layers around the names that were given", () => {
    const net = build([7, 7, 3], filters(1, { name: "conv2d_1" }), filters(1), filters(1), filters(1));
    const names = [...net.weights.keys()].filter((name) => name.endsWith("kernel"));
    expect(names).toEqual(["conv2d_1.kernel", "conv2d.kernel", "conv2d_2.kernel", "conv2d_3.kernel"]);
  });
});

describe("a method refuses", () => {
  let engine: Engine;
  let model: Model;
  const x = noise(1, 3, 7, 7, 3);
  const y = [0, 1, 2];
  const options = (more: object): Any =>
    ({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: losses.softmaxCrossEntropy(),
      ...more,
    }) as Any;
  beforeAll(async () => {
    engine = await load();
    model = tinyNet();
    model.compile(options({}));
  });
  afterAll(() => engine.dispose());

  it.each(
    Object.entries<() => unknown>({
      "compile: engine: expected what load() gives, got {}": () => model.compile(options({ engine: load() })),
      "compile: engine: expected what load() gives, got undefined": () =>
        model.compile(options({ engine: undefined })),
      [`compile: optimizer: expected one of optimizers.*, got "sgd"`]: () =>
        model.compile(options({ optimizer: "sgd" })),
      [`compile: loss: expected one of losses.*, got "mse"`]: () => model.compile(options({ loss: "mse" })),
      "compile: loss: expected one beside the optimizer, got none": () =>
        model.compile(options({ loss: undefined })),
      [`compile: expected the options engine, optimizer, loss, metrics; got "metric"`]: () =>
        model.compile(options({ metric: [] })),
      [`predict: batchSize: ${COUNT}, got 0`]: () => model.predict(x, { batchSize: 0 }),
      [`predict: batchSize: ${COUNT}, got 64.5`]: () => model.predict(x, { batchSize: 64.5 }),
      [`predict: expected the options batchSize; got "batch"`]: () => model.predict(x, { batch: 1 } as Any),
      [`evaluate: batchSize: ${COUNT}, got -1`]: () => model.evaluate(x, y, { batchSize: -1 }),
      [`evaluate: expected the options batchSize; got "epochs"`]: () =>
        model.evaluate(x, y, { epochs: 1 } as Any),
      [`session: batchSize: ${COUNT}, got NaN`]: () => model.session({ batchSize: NaN }),
      [`session: expected the options batchSize; got "size"`]: () => model.session({ size: 1 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
    // The model is as it was.
    expect(model.predict(x).shape).toEqual([3, 3]);
  });

  it.each<[given: object, message: string]>([
    [{ epochs: 0 }, `fit: epochs: ${COUNT}, got 0`],
    [{ batchSize: "32" }, `fit: batchSize: ${COUNT}, got "32"`],
    [{ shuffle: "no" }, `fit: shuffle: expected true or false, got "no"`],
    [{ onBatchEnd: {} }, "fit: onBatchEnd: expected a function, got object"],
    [{ onEpochEnd: 5 }, "fit: onEpochEnd: expected a function, got number"],
    [{ signal: new AbortController() }, "fit: signal: expected an AbortSignal, got {}"],
    [{ earlyStopping: true }, "fit: earlyStopping: expected an object of options, got true"],
    [{ earlyStopping: { monitor: "auc" } }, `fit: earlyStopping: monitor: expected one of "validationLoss",`],
    [
      { earlyStopping: {} },
      `fit: earlyStopping: monitor: expected validationData for "validationLoss", got none`,
    ],
    [
      { earlyStopping: { monitor: "validationAccuracy" } },
      `fit: earlyStopping: monitor: expected validationData for "validationAccuracy", got none`,
    ],
    [
      { earlyStopping: { monitor: "loss", patience: -1 } },
      "fit: earlyStopping: patience: expected an integer ≥ 0, got -1",
    ],
    [
      { earlyStopping: { monitor: "loss", minDelta: NaN } },
      `fit: earlyStopping: minDelta: ${NUMBER}, got NaN`,
    ],
    [
      { earlyStopping: { monitor: "loss", restoreBestWeights: 1 } },
      "fit: earlyStopping: restoreBestWeights: expected true or false, got 1",
    ],
    [
      { earlyStopping: { monitor: "loss", mode: "min" } },
      `fit: earlyStopping: expected the options monitor, patience, minDelta, restoreBestWeights; got "mode"`,
    ],
    [{ validationData: { x: 1 } }, "fit: validationData: expected [images, labels], got {"],
    [
      { callbacks: [] },
      `fit: expected the options epochs, batchSize, shuffle, validationData, onBatchEnd, onEpochEnd, signal, earlyStopping; got "callbacks"`,
    ],
  ])("fit(images, labels, %j)", async (given, message) => {
    const running = model.fit(x, y, given);
    await expect(running).rejects.toThrow(OptionError);
    await expect(running).rejects.toThrow(message);
  });

  it("load(options)", async () => {
    await expect(load({ math: "fast" as Any })).rejects.toThrow(
      `load: math: expected one of "exact", "relaxed"; got "fast"`,
    );
    await expect(load({ threads: 0 })).rejects.toThrow(
      `load: threads: expected an integer from 1 to 64 or "auto", got 0`,
    );
    await expect(load({ maximumMemory: 1 })).rejects.toThrow(
      "load: maximumMemory: expected bytes from 131072 to 4294967296, got 1",
    );
    await expect(load({ wasm: 1 } as Any)).rejects.toThrow(
      `load: expected the options module, threads, math, maximumMemory; got "wasm"`,
    );
  });
});
