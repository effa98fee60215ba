/** What the build with threads exports besides: how an instance is told its share. */
export { joinThreads } from "./lib/share";
