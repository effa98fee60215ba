/** Places as users write them, and which of them a host has. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { findNodeModules, pathOfAddress, type NodeModules } from "../files/node.ts";

/** A path or an address as text, or a `URL`. */
export type Place = string | { readonly href: string };

/** What is done at a place. */
type Use = "save" | "open" | "list" | "remove";

export type Target =
  | { readonly kind: "file"; readonly path: string; readonly node: NodeModules }
  | { readonly kind: "indexeddb"; readonly name: string }
  | { readonly kind: "download"; readonly name: string }
  | { readonly kind: "web"; readonly address: string };

interface Kind {
  /** Its name in messages. */
  readonly called: string;
  readonly uses: readonly Use[];
  /** Why this host has none, if so. */
  lack(): string | undefined;
}

const KINDS: Readonly<Record<Target["kind"], Kind>> = {
  file: {
    called: "a file path",
    uses: ["save", "open"],
    lack: () => {
      const modules = findNodeModules();
      return typeof modules === "string" ? modules : undefined;
    },
  },
  indexeddb: {
    called: "indexeddb://name",
    uses: ["save", "open", "list", "remove"],
    lack: () => (typeof indexedDB === "object" ? undefined : "this host has no IndexedDB"),
  },
  download: {
    called: "download://name",
    uses: ["save"],
    lack: () => (typeof document === "object" ? undefined : "this host has no page to offer a download"),
  },
  web: {
    called: "https://…",
    uses: ["open", "remove"],
    lack: () => (typeof fetch === "function" ? undefined : "this host has no fetch"),
  },
};

const SCHEMES: Readonly<Record<string, Target["kind"]>> = {
  file: "file",
  indexeddb: "indexeddb",
  download: "download",
  http: "web",
  https: "web",
};

/** The text of a place. */
export const nameOf = (place: Place): string => (typeof place === "string" ? place : place?.href);

function refuse(where: string, use: Use, place: unknown, reason: string): never {
  const here = Object.values(KINDS).filter(({ uses, lack }) => uses.includes(use) && lack() === undefined);
  const expected = here.map(({ called }) => called).join(" or ") || "a host with a file system or IndexedDB";
  throw new OptionError(`${where}: place: expected ${expected}, got ${show(place)}: ${reason}`);
}

/** Why a kind of place does not serve a use here, if so. */
function whyNot(kind: Target["kind"], use: Use): string | undefined {
  const { called, uses, lack } = KINDS[kind];
  if (!uses.includes(use)) return `${called} is not for this: ${uses.join(" and ")} alone`;
  const reason = lack();
  // A path that was meant to be fetched.
  const isPath = kind === "file" && use === "open" && typeof location === "object";
  return reason && isPath ? `${reason}; new URL(path, location.href) is a file of this site` : reason;
}

/** Reads a place. @throws OptionError for what is none, or none of this host or for this use */
export function readPlace(where: string, place: Place, use: Use): Target {
  const text: unknown = nameOf(place);
  if (typeof text !== "string" || text === "") return refuse(where, use, place, "a place is a text or a URL");
  // One letter is a drive of Windows.
  const [, scheme, name = ""] = /^([a-z][a-z0-9+.-]+):\/\/(.*)$/is.exec(text) ?? [];
  const kind = scheme === undefined ? "file" : SCHEMES[scheme.toLowerCase()];
  if (kind === undefined) return refuse(where, use, text, `nothing is known of ${scheme}://`);
  const reason = whyNot(kind, use);
  if (reason !== undefined) return refuse(where, use, text, reason);
  if (kind === "web") return { kind, address: text };
  if (kind === "file") {
    const path = scheme === undefined ? text : pathOf(where, use, text);
    return { kind, path, node: findNodeModules() as NodeModules };
  }
  if (name === "") return refuse(where, use, text, "it has no name");
  if (kind === "download" && /[/\\]/.test(name))
    return refuse(where, use, text, "the name of a download has no folders");
  return { kind, name };
}

/** The path of a `file:` address. */
function pathOf(where: string, use: Use, address: string): string {
  try {
    return pathOfAddress(address);
  } catch (error) {
    return refuse(where, use, address, (error as Error).message);
  }
}
