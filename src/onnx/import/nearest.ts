/** A name of more characters, and a list of more names, gets no suggestion: the search stays short whatever a file holds. */
const LONGEST = 100;
const MOST = 5000;

/** Single characters that are put in, left out or replaced to make one text of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

/**
 * `" (did you mean …?)"` with the name that is most like a given one, in whatever case; `""` when none is alike: a third of
 * the characters may differ, or one contains the other.
 */
export function suggestion(given: string, names: readonly string[]): string {
  if (given.length === 0 || given.length > LONGEST) return "";
  const wanted = given.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, wanted.length / 3) + 0.5;
  for (const name of names.slice(0, MOST)) {
    if (name.length > LONGEST) continue;
    const own = name.toLowerCase();
    const contains = wanted.length > 2 && own.includes(wanted);
    const far = contains ? 1 + (own.length - wanted.length) / LONGEST : distance(wanted, own);
    if (far >= least) continue;
    least = far;
    best = name;
  }
  return best === undefined ? "" : ` (did you mean ${best}?)`;
}
