import binary from "../../../build/wasm.sha256.js";
import type { ReceiptHeader } from "../../training/receipt.ts";
import { NUMERICS, VERSION } from "../../version.ts";

/** What every receipt begins with. */
export const HEADER: ReceiptHeader = {
  format: "im2row receipt",
  version: 1,
  numerics: NUMERICS,
  package: VERSION,
  binary,
};
