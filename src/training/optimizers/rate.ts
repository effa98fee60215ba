import { numberIn } from "../../options.ts";

/** A constant rate, or one that follows from the number of steps done before. */
export type LearningRate = number | ((step: number) => number);

/** The rate of each step. @throws OptionError, also later for a step whose rate is none */
export function rateOf(name: string, rate: LearningRate): (step: number) => number {
  if (typeof rate === "function") return (step) => numberIn(`${name} of step ${step}`, rate(step), 0);
  const constant = numberIn(name, rate, 0);
  return () => constant;
}

/** The learning rate of an optimizer, as it was passed. @throws OptionError unless it is one */
export function checkRate(type: string, rate: LearningRate): LearningRate {
  rateOf(`${type}: learningRate`, rate);
  return rate;
}
