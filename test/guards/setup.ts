/**
 * Guards every heap of the tests that run after this module was imported: bands around each buffer that are looked at
 * after each kernel, and NaN in whatever has no content yet. The sources know nothing of it, and have to be imported after it.
 */
import { vi } from "vitest";
import { guardHeap } from "./heap.ts";
import { guardArena, guardPlan } from "./plan.ts";
import { guardRuntime } from "./runtime.ts";

export { guarding } from "./heap.ts";

vi.mock(import("../../src/runtime/heap.ts"), async (original) => guardHeap(await original()));
vi.mock(import("../../src/runtime/runtime.ts"), async (original) => guardRuntime(await original()));
vi.mock(import("../../src/graph/arena.ts"), async (original) => guardArena(await original()));
vi.mock(import("../../src/graph/plan.ts"), async (original) => guardPlan(await original()));
