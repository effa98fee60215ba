/** The versions that receipts tell. */

/** That of the package, as package.json has it. */
export const VERSION = "0.1.0";

/**
 * The version of the numerics: of all sums, their orders, the choice of algorithms by shapes, and random draws. It rises by one with
 * every change after which the same data, options and seed may lead to other bits; a receipt is verified by a package of its
 * version. `test/conformance/numerics.test.ts` reminds of it.
 */
export const NUMERICS = 1;
