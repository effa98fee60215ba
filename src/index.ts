/** The public API. */
import exact from "../build/wasm.js";
import { loadEngine, type LoadOptions } from "./runtime/load.ts";
import { Engine } from "./ops/engine.ts";

/**
 * Compiles the kernels (once, however often it is called) and returns an engine with a memory of its own.
 * @throws OptionError; Error when the host refuses to compile WebAssembly, saying which option helps.
 */
export function load(options?: LoadOptions): Promise<Engine> {
  return loadEngine(exact, Engine, options);
}

export type { Limits } from "./budget.ts";
export type { ModelMetadata, Preprocessing } from "./metadata.ts";
export type { LoadOptions } from "./runtime/load.ts";
export type { RelaxedMath } from "./runtime/relaxed.ts";
export type { AbortSignalLike, WasmModule, WasmResponse, WasmSource } from "./runtime/platform.ts";
export type { KernelEngine } from "./runtime/engine.ts";
export type { Activation, ActivationName } from "./kernels/activation.ts";
export { defineActivation, registerActivation } from "./kernels/ownActivation.ts";
export type { ActivationDefinition, ActivationViews, OwnActivation } from "./kernels/ownActivation.ts";
export type { ConvAlgorithm } from "./kernels/conv2d.ts";
export type { InputGradientAlgorithm } from "./kernels/conv2dGradients.ts";
export type { PoolOptions } from "./kernels/pool2d.ts";
export type { SequencePadding } from "./kernels/sequence.ts";
export type { OutputPadding } from "./kernels/transposedWindow.ts";
export type { Padding, WindowOptions } from "./kernels/window.ts";
export { FormatError, MemoryError, OptionError, ShapeError, TrainingError } from "./errors.ts";
export type { OnnxLayout } from "./onnx/export/index.ts";
export * as layers from "./layers/index.ts";
export type {
  BatchNormalizationOptions,
  BlockOptions,
  BroadcastKind,
  BroadcastLayerOptions,
  ColorOptions,
  ConstantLayerOptions,
  Conv1dLayerOptions,
  Conv1dTransposeLayerOptions,
  Conv2dLayerOptions,
  Conv2dTransposeLayerOptions,
  CropOptions,
  DenseLayerOptions,
  DepthwiseConv2dLayerOptions,
  Factor,
  FillMode,
  GroupNormalizationOptions,
  Interpolation,
  LayerNormalizationOptions,
  LrnLayerOptions,
  Margin,
  MatMulLayerOptions,
  NormalizationOptions,
  PlaneWindow,
  Pooling1dLayerOptions,
  Pooling2dLayerOptions,
  PoolLayerOptions,
  PreluLayerOptions,
  ReduceLayerOptions,
  ReductionKind,
  RescalingOptions,
  ResizeLayerOptions,
  ResizeTable,
  ResizingOptions,
  SamplingOptions,
  SeparableConv1dLayerOptions,
  SeparableConv2dLayerOptions,
  ShiftOptions,
  SpectralNormalizationOptions,
  TakeLayerOptions,
  UnaryKind,
  UnaryLayerOptions,
  UnitNormalizationOptions,
  UpSampling2dLayerOptions,
  ZoomOptions,
} from "./layers/index.ts";
export { input } from "./layers/symbolic.ts";
export type { SymbolicTensor } from "./layers/contract.ts";
export { defineLayer } from "./layers/define.ts";
export type {
  AnyLayerDefinition,
  ArrayLayerDefinition,
  ComposedLayerDefinition,
  KernelLayerDefinition,
  LayerFactory,
  WeightDefinition,
} from "./layers/define.ts";
export type { BackwardViews, ForwardViews } from "./layers/views.ts";
export { registerLayer, type RegisteredFactory } from "./layers/register.ts";
export type { BuildContext, Gradient, GradientContext, Layer, Pass, WeightSpec } from "./layers/contract.ts";
export type { Buffer } from "./layers/buffer.ts";
export type { Affine, AsEpilogue, Epilogue, EpilogueKind } from "./layers/epilogue.ts";
export type { Kernels } from "./kernels/kernels.ts";
export type { DType } from "./dtype.ts";
export type { Initializer } from "./layers/initializers.ts";
export * as losses from "./training/losses/index.ts";
export type { HuberOptions, Loss, SoftmaxCrossEntropyOptions } from "./training/losses/index.ts";
export { defineLoss } from "./training/losses/define.ts";
export type { LossDefinition, LossFactory, LossViews } from "./training/losses/define.ts";
export * as metrics from "./training/metrics/index.ts";
export type { TopKOptions } from "./training/metrics/index.ts";
export { defineMetric } from "./training/metrics/define.ts";
export type { Count, Metric } from "./training/metrics/metric.ts";
export type { CompileOptions } from "./training/compile.ts";
export type { EarlyStopping } from "./training/earlyStopping.ts";
export type { Evaluation, Figures, FiguresOf, LossFigures } from "./training/evaluation.ts";
export type { CheckpointPlaces, CheckpointTime } from "./training/checkpoints.ts";
export type {
  CheckpointOptions,
  FitOptions,
  ReceiptOptions,
  StreamFitOptions,
  ValidationData,
} from "./training/fitOptions.ts";
export type { TrainingReceipt } from "./training/receipt.ts";
export * as callbacks from "./training/callbacks/index.ts";
export type {
  BatchBegin,
  Callback,
  CallbackLike,
  CheckpointCallbackOptions,
  CsvLoggerOptions,
  EarlyStoppingOptions,
  EpochBegin,
  LearningRateFinder,
  LearningRateFinderOptions,
  MonitorOptions,
  ReduceLROnPlateauOptions,
  TextSink,
  TrainBegin,
  TrainedModel,
} from "./training/callbacks/index.ts";
export type { TrainingState } from "./training/trainer.ts";
export type { ClassWeights } from "./training/weights.ts";
export type { BatchEnd, EpochEnd, History } from "./training/history.ts";
export type { AsyncBatchOptions, BatchOptions } from "./model/batchOptions.ts";
export type { AsyncEvaluateOptions, EvaluateOptions } from "./model/evaluateOptions.ts";
export type { ImageBatch, InferenceModel } from "./model/inferenceModel.ts";
export { model, type ModelOptions, type NamedOutputs } from "./model/functional.ts";
export type { GraphInput } from "./graph/graph.ts";
export {
  checkGradients,
  type CheckGradientsOptions,
  type CheckLayerOptions,
} from "./model/checkGradients.ts";
export type { GradientCheck, GradientRow } from "./model/gradientTable.ts";
export { loadModel, type Model } from "./model/model.ts";
export type { OutputGradients } from "./model/outputGradients.ts";
export type { Named } from "./graph/namedTensors.ts";
export { sequential, type SequentialOptions } from "./model/sequential.ts";
export type { LayerTime, Session } from "./graph/session.ts";
export type { ClassNumbers, Labels } from "./labels.ts";
export type { BatchRecord, LabelledBatch, SeekableStream, Stream, SyncStream } from "./stream.ts";
export type { Engine };
export type { LossResult, MatMulOptions } from "./ops/dense.ts";
export type { Conv2dForwardOptions, Conv2dOptions } from "./ops/convolution.ts";
export type { MaxPool } from "./ops/pooling.ts";
export { defineOptimizer } from "./training/optimizers/define.ts";
export type { OptimizerDefinition, OptimizerFactory, OptimizerViews } from "./training/optimizers/define.ts";
export * as optimizers from "./training/optimizers/index.ts";
export type {
  AdamOptions,
  ClipOptions,
  LearningRate,
  Optimizer,
  SgdOptions,
} from "./training/optimizers/index.ts";
export * as regularizers from "./training/regularizers.ts";
export type { Regularizer } from "./layers/regularizers.ts";
export * as schedules from "./training/optimizers/schedules.ts";
export type { Schedule, ScheduleConfig } from "./training/optimizers/schedules.ts";
export * as math from "./math.ts";
export { Random } from "./random.ts";
export type { Size } from "./options.ts";
export { tensor, type InputTensor, type OwnTensor, type Shape, type Tensor } from "./tensor.ts";
