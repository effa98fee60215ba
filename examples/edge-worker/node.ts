/**
 * The handler on Node's own server, which knows neither `Request` nor `Response`:
 *
 *   PORT=8787 npx tsx node.ts
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import server from "./server.ts";

/** The body, read when it is asked for. Who cancels it can still be answered: the rest is thrown away. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function requestOf(incoming: IncomingMessage): Request {
  const { method = "GET", url, headers } = incoming;
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming);
  const init = { method, headers: headers as Record<string, string>, body, duplex: "half" };
  return new Request(`http://localhost${url}`, init);
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let request: Request;
  try {
    request = requestOf(incoming);
  } catch {
    // A target that is no path, or a method that `Request` refuses.
    outgoing.writeHead(400).end();
    return;
  }
  const response = await server.fetch(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(new Uint8Array(await response.arrayBuffer()));
  incoming.resume();
}

const listening = createServer((incoming, outgoing) => {
  respond(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
});
listening.listen(Number(process.env["PORT"] ?? 8787), () => {
  const { port } = listening.address() as AddressInfo;
  console.log(`Serving at http://localhost:${port}/`);
});
