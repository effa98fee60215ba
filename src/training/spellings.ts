/** The optimizers, which are called alike elsewhere. */
const OPTIMIZER = /^(sgd|adamw?|rmsprop|adagrad|lion|lamb)$/;

/** Other strings of Keras, TensorFlow.js and PyTorch, without case, underscores and "Loss", and what is called here instead. */
const EQUIVALENTS: readonly (readonly [RegExp, string])[] = [
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
  if (OPTIMIZER.test(plain)) {
    return `, here optimizers.${plain}(${plain === "sgd" ? "{ learningRate }" : ""})`;
  }
  return EQUIVALENTS.find(([spelling]) => spelling.test(plain))?.[1] ?? "";
}
