/**
 * The passes of layers in training and their gradients, by the layers' types. Only training imports this file, so that the
 * bundle of a program that only runs models contains none of them.
 */
import {
  randomBrightnessPass,
  randomContrastPass,
  randomCropPass,
  randomFlipPass,
  randomRotationPass,
  randomTranslationPass,
  randomZoomPass,
} from "./augmentation.ts";
import { batchNormalizationPass } from "./batchNormalization.ts";
import type { BuildContext, GradientContext, Layer, Pass, TrainingPass } from "./contract.ts";
import {
  alphaDropoutPass,
  dropoutPass,
  gaussianDropoutPass,
  gaussianNoisePass,
  spatialDropout2dPass,
} from "./dropout.ts";
import { GRADIENTS } from "./gradients.ts";
import { spectralNormalizationPass } from "./spectralNormalization.ts";

const PASSES: Readonly<Record<string, TrainingPass>> = {
  alphaDropout: alphaDropoutPass,
  batchNormalization: batchNormalizationPass,
  dropout: dropoutPass,
  gaussianDropout: gaussianDropoutPass,
  gaussianNoise: gaussianNoisePass,
  randomBrightness: randomBrightnessPass,
  randomContrast: randomContrastPass,
  randomCrop: randomCropPass,
  randomFlip: randomFlipPass,
  randomRotation: randomRotationPass,
  randomTranslation: randomTranslationPass,
  randomZoom: randomZoomPass,
  spatialDropout2d: spatialDropout2dPass,
  spectralNormalization: spectralNormalizationPass,
};

/** Builds a layer's forward pass for a plan with gradients. */
export function buildTrainingPass(layer: Layer, context: BuildContext): Pass {
  const pass = layer.hasTrainingPass && PASSES[layer.type]!(context, layer.config as never);
  return pass || layer.build(context);
}

/** The gradient that a forward pass brings along, or that of the layer's type; undefined when there is neither. */
export function gradientOf(
  { type }: Layer,
  pass: Pass,
): ((context: GradientContext) => (n: number) => void) | undefined {
  // A layer of a user has its own, whatever its type is called.
  if (pass.gradient) return (context) => pass.gradient!(context);
  const own = Object.hasOwn(GRADIENTS, type) ? GRADIENTS[type] : undefined;
  return own && ((context) => own(context, pass.state as never));
}
