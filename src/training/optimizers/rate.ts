import { numberIn } from "../../options.ts";

/** A constant rate, or one that follows from the number of steps done before. */
export type LearningRate = number | ((step: number) => number);

/** A schedule in JSON: the name of its factory in `schedules`, and all options with their defaults. */
export interface ScheduleConfig {
  readonly type: string;
  readonly [option: string]: string | number | boolean | readonly number[] | ScheduleConfig;
}

/** A rate for each step, counted from 0. */
export interface Schedule {
  (step: number): number;
  /** What a factory of `schedules` makes the same again from. Functions of users have none, and what warms one up neither. */
  readonly config?: ScheduleConfig | undefined;
}

/** The rate of each step. @throws OptionError, also later for a step whose rate is none */
export function rateOf(name: string, rate: LearningRate): (step: number) => number {
  if (typeof rate === "function") return (step) => numberIn(`${name} of step ${step}`, rate(step), 0);
  const constant = numberIn(name, rate, 0);
  return () => constant;
}

/** The learning rate of an optimizer, as it was passed. @throws OptionError unless it is one */
export function checkRate(where: string, rate: LearningRate): LearningRate {
  rateOf(where, rate);
  return rate;
}

/** A rate in JSON; undefined for a function of a user. */
export function rateConfig(rate: LearningRate): number | ScheduleConfig | undefined {
  return typeof rate === "function" ? (rate as Schedule).config : rate;
}
