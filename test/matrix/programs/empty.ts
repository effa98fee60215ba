/** A program that does nothing: the time that the host takes for itself is no part of a cold start. */
export async function main(print: (line: string) => void): Promise<void> {
  print("nothing");
}
