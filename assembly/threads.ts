/** The build with threads exports this besides, by which an instance learns its share of the outputs. */
export { joinThreads } from "./lib/share";
