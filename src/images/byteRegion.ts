import { Region } from "../runtime/region.ts";
import { expectAttached } from "../tensor.ts";

/** The linear memory of one call, in which images lie as bytes. */
export class ByteRegion extends Region {
  /** Growth detaches views, so that they are made where they are used. */
  get #bytes(): Uint8Array {
    return new Uint8Array(this.heap.memory.buffer);
  }

  /** Space for so many bytes. */
  bytes(count: number): number {
    return this.allocate(count, "uint8");
  }

  /** Copies `count` bytes to an address. @throws ShapeError when they were detached since they were read */
  write(data: Uint8Array, count: number, to: number): void {
    expectAttached(data, count);
    this.#bytes.set(data, to);
  }

  /** A copy of `count` bytes from an address on. */
  read(from: number, count: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, from + count);
  }
}
