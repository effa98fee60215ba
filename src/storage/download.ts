/** Milliseconds until the browser has surely begun to read what it downloads. */
const READ = 60_000;

/** Has the page offer the bytes as a download, as a click on a link would. */
export function offerDownload(name: string, bytes: Uint8Array): void {
  const blob = new Blob([bytes as BlobPart], { type: "application/octet-stream" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ);
}
