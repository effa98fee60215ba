/** The peers that are installed. */
import { openJax } from "./jax.ts";
import { openOnnxruntimeNode, openOnnxruntimeWeb } from "./onnxruntime.ts";
import type { Peer } from "./peer.ts";
import { openTfjs } from "./tfjs.ts";

const INSTALL = "npm ci --prefix bench --ignore-scripts";

/** By name: how each is opened, on one thread. */
export const PEERS: Readonly<Record<string, () => Promise<Peer>>> = {
  "tfjs-wasm": openTfjs,
  "onnxruntime-web": openOnnxruntimeWeb,
  "onnxruntime-node": () => openOnnxruntimeNode(1),
  "jax-js": openJax,
};

/** Opens those that are wanted, and tells which are not installed. Any other failure is thrown. */
export async function openPeers(wanted: readonly string[]): Promise<{ peers: Peer[]; absent: string[] }> {
  const peers: Peer[] = [];
  const absent: string[] = [];
  for (const name of wanted) {
    try {
      peers.push(await PEERS[name]!());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
      absent.push(`${name} absent: ${INSTALL}`);
    }
  }
  return { peers, absent };
}
