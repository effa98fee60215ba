/** A program as a script of edge-runtime, which knows no modules. */
import { respond } from "./respond.ts";

interface FetchEvent extends Event {
  respondWith(response: Promise<Response>): void;
}

addEventListener("fetch", (event) => (event as FetchEvent).respondWith(respond()));
