/** Every option of every layer, optimizer and loss refuses what it cannot be: the place, the expected, the given. */
import { describe, expect, it } from "vitest";
import { layers, losses, OptionError, optimizers } from "../../src/index.ts";
import { conv, conv1d, COUNT, NUMBER, separable, transposed, type Any } from "../support/options.ts";

const sgd = (more: object): unknown => optimizers.sgd({ learningRate: 1, ...more } as Any);

const PADDINGS = `expected "same", "valid" or [[top, bottom], [left, right]] of integers ≥ 0`;
const TARGET = "expected positive integers, one of which may be -1";
const MARGIN = "expected an integer ≥ 0, [rows, columns] or [[top, bottom], [left, right]] of them";
const AXES = "expected the axes 1, 2 … in any order";
const FIRST = "expected the first axes, 1, 2 …";
const PAIR = "[before, after] of integers ≥ 0";
const EXTRA = "expected integers from 0 and below the strides";
const SIZE = "expected a positive integer or [height, width] of such";

describe("a layer refuses", () => {
  it.each(
    Object.entries<() => unknown>({
      "conv2d: expected an object of options, got undefined": () => layers.conv2d(undefined as Any),
      [`strides, padding, dilationRate, activation`]: () =>
        layers.conv2d({ filters: 1, kernelSize: 1, stride: 2 } as Any),
      [`biasInitializer, name, filters, groups, algorithm; got "stride"`]: () =>
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
