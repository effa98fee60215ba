/** A fetch handler that says which digit an image shows. It knows of no host: a `Request` in, a `Response` out. */
import { loadModel, type KernelEngine, type Session } from "im2row/inference";
import { InputError, readImage } from "./image.ts";

/** Limit of a body in bytes. An image has 6 kB at most; the rest is for what editors write beside it. */
export const MAX_BODY = 65536;

const USAGE = `POST a PNG image of a digit, 28×28 pixels, to this address:

  curl --data-binary @seven.png <address>

The answer is {"digit": 7, "probabilities": [ten numbers]}, or {"error": "…"}.
`;

/** The body's bytes, of which no more are read than the limit allows. @throws InputError */
async function readBody({ headers, body }: Request): Promise<Uint8Array> {
  const expected = `body: expected at most ${MAX_BODY} bytes`;
  const announced = Number(headers.get("content-length"));
  if (announced > MAX_BODY) throw new InputError(413, `${expected}, got ${announced}`);
  const bytes = new Uint8Array(MAX_BODY);
  let size = 0;
  const reader = body?.getReader();
  try {
    for (;;) {
      const chunk: Uint8Array | undefined = (await reader?.read())?.value;
      if (!chunk) return bytes.subarray(0, size);
      if (size + chunk.length > MAX_BODY) break;
      bytes.set(chunk, size);
      size += chunk.length;
    }
  } catch (error) {
    throw new InputError(400, `body: expected all of it, got ${size} bytes (${String(error)})`);
  }
  // Whether the sender takes note of it does not matter.
  await reader?.cancel().catch(() => {});
  throw new InputError(413, `${expected}, got more`);
}

/** Puts the model on an engine of its own. */
async function open(load: () => Promise<KernelEngine>, file: Uint8Array): Promise<Session> {
  const engine = await load();
  try {
    const model = loadModel(file);
    model.compile({ engine });
    return model.session({ batchSize: 1 });
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

/** Nothing waits between the image's way in and the answer's way out, so requests cannot get mixed up. */
function classify(session: Session, image: Float32Array): { digit: number; probabilities: number[] } {
  session.input.set(image);
  session.run();
  const probabilities = Array.from(session.output);
  return { digit: probabilities.indexOf(Math.max(...probabilities)), probabilities };
}

function failure(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}

/**
 * The handler for `load` of `im2row/inference` and a model whose input is `[28, 28, 1]` and whose output are ten
 * probabilities. The first image opens the model, and all others use it; when that fails, the next one tries again.
 */
export function createHandler(
  load: () => Promise<KernelEngine>,
  model: Uint8Array,
): (request: Request) => Promise<Response> {
  let opened: Promise<Session> | undefined;

  const session = (): Promise<Session> =>
    (opened ??= open(load, model).catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  async function answer(request: Request): Promise<Response> {
    const image = readImage(await readBody(request));
    let ready: Session;
    try {
      ready = await session();
    } catch (error) {
      console.error(error);
      return failure(503, "model: expected it to open, got an error; try again");
    }
    return Response.json(classify(ready, image));
  }

  return async (request) => {
    const { pathname } = new URL(request.url);
    const { method } = request;
    if (pathname !== "/") return failure(404, `path: expected /, got ${pathname}`);
    if (method === "GET") return new Response(USAGE);
    if (method === "HEAD")
      return new Response(null, { headers: { "content-type": "text/plain;charset=UTF-8" } });
    if (method !== "POST") {
      return failure(405, `method: expected POST, got ${method}`, { allow: "GET, HEAD, POST" });
    }
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof InputError) return failure(error.status, error.message);
      throw error;
    }
  };
}
