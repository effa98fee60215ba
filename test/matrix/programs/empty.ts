/** What the host takes for itself, which is no part of a cold start. */
export async function main(print: (line: string) => void): Promise<void> {
  print("nothing");
}
