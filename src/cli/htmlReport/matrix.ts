/** The confusion matrix as a table whose cells are coloured by their counts. */
import { largestConfusions, percent } from "../report.ts";
import { markup, type Markup } from "./markup.ts";

/** Shades of a colour, from none to full; the style sheet has a class for each. */
export const SHADES = 9;

/** Classes up to which there is a matrix, and the mistakes that are listed of more. */
export const MOST_CLASSES = 40;
const MOST_LISTED = 60;

/** The largest count has the full shade, and every count above 0 one that can be seen. */
function shadeOf(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.round((SHADES * count) / most));
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The most frequent mistakes as a table. */
function list(confusion: readonly (readonly number[])[], classes: readonly string[]): Markup {
  const rows = largestConfusions(confusion, MOST_LISTED).map(
    ({ truth, taken, count, images }) =>
      markup`<tr><th scope="row">${classes[truth]!}</th><td>${classes[taken]!}</td><td>${count}</td><td>${images}</td></tr>\n`,
  );
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Most frequent mistakes"><table class="numbers">
<caption>Held-out images: the most frequent mistakes of ${classes.length} classes.</caption>
<thead><tr><th scope="col">true</th><th scope="col">taken for</th><th scope="col">images</th><th scope="col">of</th></tr></thead>
<tbody>
${rows}</tbody></table></div>`;
}

/**
 * A row for each true class, a column for each answer. Right answers are shaded by their share of the row, mistakes, which
 * are few, by the largest count of a mistake. Of many classes a list of mistakes is all that a page has room for.
 */
export function matrix(confusion: readonly (readonly number[])[], classes: readonly string[]): Markup {
  if (classes.length > MOST_CLASSES) return list(confusion, classes);
  const mistakes = confusion.map((row, truth) => row.filter((_, predicted) => predicted !== truth));
  const most = Math.max(1, ...mistakes.flat());
  const rows = confusion.map((row, truth) => {
    const images = total(row);
    const cells = row.map((count, predicted) => {
      const right = predicted === truth;
      const shade = shadeOf(count, right ? images : most);
      return markup`<td class="${right ? "hit" : "miss"}${shade}">${count}</td>`;
    });
    const found = images === 0 ? "–" : percent(row[truth]! / images);
    return markup`<tr><th scope="row">${classes[truth]!}</th>${cells}<td class="found">${found}</td></tr>\n`;
  });
  const heads = classes.map((name) => markup`<th scope="col">${name}</th>`);
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix"><table class="matrix">
<caption>Held-out images: a row for each true class, a column for each answer. Blue is right, orange are mistakes; the last column is the share that was found.</caption>
<thead><tr><th scope="col">true</th>${heads}<th scope="col">found</th></tr></thead>
<tbody>
${rows}</tbody></table></div>`;
}
