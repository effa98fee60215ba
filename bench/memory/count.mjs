/** Counts the WebAssembly memory of what is imported afterwards: every memory, made by hand or exported by an instance. */
const memories = new Set();
const { Memory, instantiate } = WebAssembly;
WebAssembly.Memory = new Proxy(Memory, {
  construct(target, [descriptor]) {
    const memory = new target(descriptor);
    memories.add(memory);
    return memory;
  },
});
WebAssembly.instantiate = async (...given) => {
  const result = await instantiate(...given);
  for (const value of Object.values((result.instance ?? result).exports)) {
    if (value instanceof Memory) memories.add(value);
  }
  return result;
};

/** Bytes of all of them. They only grow, so that this is their peak. @throws Error when there are none */
export function memoryBytes() {
  if (memories.size > 0) return [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  throw new Error("expected a WebAssembly memory, got none: is this the native engine?");
}
