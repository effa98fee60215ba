/** Options as a caller without types may hand them over, and what is expected of many. */
import { layers, type Layer } from "im2row";

/** Callers without types may pass anything. */
export type Any = never;

export const conv = (more: object): Layer => layers.conv2d({ filters: 2, kernelSize: 1, ...more } as Any);

export const NUMBER = "expected a finite number ≥ 0";
export const COUNT = "expected a positive integer";
export const SIZE = "expected a positive integer or [height, width] of such";
export const PADDINGS = `expected "same", "valid" or [[top, bottom], [left, right]] of integers ≥ 0`;
export const PAIR = "[before, after] of integers ≥ 0";
