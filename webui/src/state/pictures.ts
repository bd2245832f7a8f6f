/**
 * Files on their way out. Pictures are painted anew on a canvas: place, camera and every other note in the file stay
 * behind, and a photo of 8 MB becomes one of a few hundred kilobytes. Other files go as they are.
 */

export interface Prepared {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly width?: number;
  readonly height?: number;
}

/** Longest side in pixels: enough for a phone's whole screen, twice over. */
const SIDE_MAX = 2_048;
const QUALITY = 0.85;
/** Media types that this page shows by itself: what every browser paints and none runs. */
export const SHOWN: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"]);

/** The browser cannot read this picture, so its notes could not be taken out. */
export class UnreadablePicture extends Error {}

export function isPicture(type: string): boolean {
  return type.startsWith("image/") && type !== "image/svg+xml";
}

export async function prepare(file: File): Promise<Prepared> {
  if (!isPicture(file.type)) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { name: file.name.slice(0, 120) || "file", type: file.type || "application/octet-stream", bytes };
  }
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new UnreadablePicture(file.type);
  const scale = Math.min(1, SIDE_MAX / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const type = file.type === "image/png" ? "image/png" : "image/jpeg";
  const blob = await paint(bitmap, width, height, type);
  bitmap.close();
  // The file's own name may say more than its owner knows ("IMG_20261124_home.jpg").
  const name = type === "image/png" ? "picture.png" : "picture.jpg";
  return { name, type, bytes: new Uint8Array(await blob.arrayBuffer()), width, height };
}

async function paint(bitmap: ImageBitmap, width: number, height: number, type: string): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new UnreadablePicture(type);
  if (type === "image/jpeg") {
    context.fillStyle = "#fff"; // what was transparent
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new UnreadablePicture(type))), type, QUALITY);
  });
}

/** Gives a file to its reader without opening it in this page. */
export function save(name: string, type: string, bytes: Uint8Array): void {
  const address = URL.createObjectURL(
    new Blob([bytes as Uint8Array<ArrayBuffer>], { type: SHOWN.has(type) ? type : "application/octet-stream" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** "240 KB", "1.4 MB" in the reader's language. */
export function sizeWords(bytes: number, language: string): string {
  const large = bytes >= 1_000_000;
  const number = large ? bytes / 1_000_000 : Math.max(1, bytes / 1_000);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: large ? "megabyte" : "kilobyte",
    unitDisplay: "short",
    maximumFractionDigits: large ? 1 : 0,
  }).format(number);
}
