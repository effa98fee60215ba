/** HTML from templates: text is escaped, and only what a template made is taken as it is. */
import { escaped } from "../../errors.ts";

/** A piece of HTML. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Part = Markup | string | number | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for the content of an element or a quoted attribute. What cannot be seen, or turns text around, is spelled out. */
function escapeText(text: string): string {
  const lines = text.split("\n").map(escaped).join("\n");
  return lines.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return typeof part === "object" ? part.map(textOf).join("") : escapeText(String(part));
}

/** The tag of templates: the literal parts are HTML, the values are text, HTML from such templates, or lists of these. */
export function markup(literals: TemplateStringsArray, ...values: Part[]): Markup {
  return new Markup(literals.map((literal, i) => literal + textOf(values[i] ?? "")).join(""));
}
