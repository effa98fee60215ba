/** Reads pages of the command line in tests. */

const VOID = new Set(["meta", "img", "!doctype"]);

/** The faults of the tags: each one that is opened is closed, in order. Style sheets have none. */
export function faultsOf(page: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const text = page.replace(/<style>[^]*?<\/style>/, "");
  for (const [tag, slash, name, rest] of text.matchAll(/<(\/?)([!\w-]*)([^<>]*)>/g)) {
    if (!/^(\s+[\w:-]+(="[^"]*")?)*\s*\/?$/.test(rest!)) faults.push(`attributes of ${tag}`);
    if (slash) {
      if (open.pop() !== name) faults.push(`end of ${name}`);
    } else if (!rest!.endsWith("/") && !VOID.has(name!.toLowerCase())) open.push(name!);
  }
  // Whatever is no tag has no angle bracket.
  if (/[<>]/.test(text.replaceAll(/<[^<>]*>/g, ""))) faults.push("a bracket in text");
  return [...faults, ...open.map((name) => `${name} stays open`)];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** The text of a piece of HTML, without tags. */
export function textOf(html: string): string {
  return html.replaceAll(/<[^<>]*>/g, "").replaceAll(/&[#\w]+;/g, (entity) => ENTITIES[entity]!);
}

/** The section under a heading. */
export function sectionOf(page: string, title: string): string {
  const sections = page.match(/<section>[^]*?<\/section>/g) ?? [];
  const [section, ...others] = sections.filter((text) => text.includes(`<h2>${title}</h2>`));
  if (section === undefined || others.length > 0) throw new Error(`expected one section ${title}`);
  return section;
}

/** The cells of the body of the only table in a piece of HTML, row by row, their heads first. */
export function cellsOf(html: string): string[][] {
  const body = /<tbody>([^]*?)<\/tbody>/.exec(html)![1]!;
  return [...body.matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>([^]*?)<\/t[hd]>/g)].map(([, cell]) => textOf(cell!)),
  );
}

/** The images of a piece of HTML. */
export function imagesOf(html: string): { alt: string; png: Uint8Array }[] {
  return [
    ...html.matchAll(/<img src="data:image\/png;base64,([\w+/=]+)" width="\d+" height="\d+" alt="([^"]*)">/g),
  ].map(([, base64, alt]) => ({ alt: textOf(alt!), png: Buffer.from(base64!, "base64") }));
}
