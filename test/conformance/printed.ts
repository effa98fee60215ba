/** The digests that every runtime prints and the table of all runtimes compares, by their names in `digests.json`. */
export const PRINTED = ["operators", "weights", "streamed", "ownParts", "resumed"] as const;
