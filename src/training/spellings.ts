/** Strings of Keras, TensorFlow.js and PyTorch, without case, underscores and "Loss", and what is called here instead. */
const EQUIVALENTS: readonly (readonly [RegExp, string])[] = [
  [/^sgd$/, ", here optimizers.sgd({ learningRate })"],
  [/^adam$/, ", here optimizers.adam()"],
  [/^adamw$/, ", here optimizers.adamw()"],
  [/^rmsprop$/, ", here optimizers.rmsprop()"],
  [/^adagrad$/, ", here optimizers.adagrad()"],
  [/^lion$/, ", here optimizers.lion()"],
  [/^lamb$/, ", here optimizers.lamb()"],
  [/^(sparse)?(categorical|softmax)?crossentropy$/, ", here losses.softmaxCrossEntropy()"],
  [/^((binary|sigmoid)crossentropy|bcewithlogits)$/, ", here losses.sigmoidCrossEntropy()"],
  [/^(mse|meansquarederror)$/, ", here losses.meanSquaredError()"],
  [/^(mae|l1|meanabsoluteerror)$/, ", here losses.meanAbsoluteError()"],
  [/^huber$/, ", here losses.huber()"],
  [/^(sparse)?topkcategoricalaccuracy$/, ", here metrics.topK()"],
  [/^(sparse)?(categorical)?acc(uracy)?$/, "; evaluate has the accuracy without a metric"],
];

/** The end of a sentence that refuses `value`: what is meant by the string of another package, or nothing. */
export function equivalent(value: unknown): string {
  if (typeof value !== "string") return "";
  const plain = value.replaceAll("_", "").toLowerCase().replace(/loss$/, "");
  return EQUIVALENTS.find(([spelling]) => spelling.test(plain))?.[1] ?? "";
}
