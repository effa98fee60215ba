/**
 * What a host must refuse, because the hosts that it stands for do: else what the package does without proves nothing.
 * Errors are known by their names; those of another realm are no instances of this one's classes.
 */

function expectError(what: string, name: string, call: () => unknown): void {
  let thrown = "nothing";
  try {
    call();
  } catch (error) {
    thrown = (error as Error).name;
  }
  if (thrown !== name) throw new Error(`host: expected ${name} of ${what}, got ${thrown}`);
}

/** Code made of strings. */
export function expectNoEval(): void {
  // oxlint-disable-next-line no-new-func
  expectError("new Function", "EvalError", () => new Function(""));
}

/** WebAssembly made of bytes, here of the empty module. */
export function expectNoCompilation(): void {
  const bytes = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  expectError("new WebAssembly.Module", "CompileError", () => new WebAssembly.Module(bytes));
}
