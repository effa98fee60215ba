/** The ABI: what the module exports, and nothing else. One line a kernel file. */

/** First free byte of linear memory: the engine's heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}
