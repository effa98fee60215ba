/** A server of static files for pages that may not make code of strings, and the ear for what they print. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Program } from "./launcher.ts";
import { PACKAGE } from "./paths.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

export interface Site {
  readonly url: string;
  /** The lines that the next page prints. Rejects when a page fails, or asks for a file that is not there. */
  nextLines(): Promise<string[]>;
  close(): void;
}

/** The package's export map as a browser's import map. */
function importMap(): string {
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as {
    exports: Record<string, string | Record<string, string>>;
  };
  const imports = Object.entries(exports).map(([name, target]) => {
    const file = typeof target === "string" ? target : (target["browser"] ?? target["default"]!);
    return [name.replace(".", "im2row"), file.replace(".", "/node_modules/im2row")];
  });
  return JSON.stringify({ imports: Object.fromEntries(imports) });
}

/** A page that runs `/page/<program>.js`. By `import()`: WebKit tells a page of no error of its modules otherwise. */
function page(program: string, nonce: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>${program}</title>
<script type="importmap" nonce="${nonce}">${importMap()}</script>
<script type="module" nonce="${nonce}">
  import("/page/${program}.js").catch((error) => fetch("/error", { method: "POST", body: String(error) }));
</script>
`;
}

/** The path at which `serve` has the page of a program. */
export const pathOfProgram = (program: Program): string => `/run/${program}`;

/** Waits for the lines that one page prints, or for its error. */
class Ear {
  #tell = (_lines: string[]): void => {};
  #fail = (_error: Error): void => {};

  next(): Promise<string[]> {
    return new Promise((resolve, reject) => ([this.#tell, this.#fail] = [resolve, reject]));
  }

  async hear(pathname: string, request: IncomingMessage): Promise<void> {
    const body = await text(request);
    if (pathname === "/lines") this.#tell(body.split("\n"));
    else this.fail(new Error(`page: ${body}`));
  }

  fail(error: Error): void {
    this.#fail(error);
  }
}

/** Answers with the page of a program or a file of the folder; else with 404, and false. */
function send(folder: string, pathname: string, response: ServerResponse): boolean {
  const nonce = randomBytes(16).toString("base64");
  response.setHeader(
    "Content-Security-Policy",
    `default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'nonce-${nonce}'; worker-src 'self' blob:; connect-src 'self'`,
  );
  // Without these two a page has no shared memory, and so no threads.
  response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  const program = /^\/run\/(\w+)$/.exec(pathname)?.[1];
  const file = join(folder, pathname);
  if (program !== undefined) {
    response.setHeader("Content-Type", TYPES[".html"]!).end(page(program, nonce));
  } else if (existsSync(file) && statSync(file).isFile()) {
    response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  } else {
    response.writeHead(404).end();
    return false;
  }
  return true;
}

/** Serves a folder and the pages of the programs, on a port that the system picks, for this machine alone. */
export async function serve(folder: string): Promise<Site> {
  const ear = new Ear();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url!, "http://localhost");
    if (request.method === "POST") {
      await ear.hear(pathname, request);
      response.end();
    } else if (!send(folder, pathname, response) && pathname !== "/favicon.ico") {
      // Browsers ask for an icon of their own accord.
      ear.fail(new Error(`page: expected files that are there, got a request for ${pathname}`));
    }
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => ear.fail(error as Error));
  });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, nextLines: () => ear.next(), close };
}
