/** The most memory that this process has held. */
import { existsSync, readFileSync } from "node:fs";
import { resourceUsage } from "node:process";

const STATUS = "/proc/self/status";

/** In bytes. What `resourceUsage` tells starts, on Linux, from what the process held that started this one. */
export function peakBytes() {
  const own = existsSync(STATUS) && /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, "utf8"))?.[1];
  return 1024 * (own ? Number(own) : resourceUsage().maxRSS);
}
