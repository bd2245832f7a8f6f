/**
 * The saved file as a whole: how it is put together, and its fingerprint. The build (`building/saved-client.mjs`) and the
 * file itself fill in the same page, so that the file can say its own eight words without reading itself from the disk,
 * which browsers do not allow.
 */
import icons from "../../public/icons.svg?raw";
import { spoken } from "../client/words.ts";
import page from "./page.txt?raw";

/** Words of a fingerprint: the first 88 bits of a SHA-256. */
const WORDS = 8;

const encoder = new TextEncoder();

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** What a hash looks like in a Content-Security-Policy. */
async function source(text: string): Promise<string> {
  return `'sha256-${btoa(String.fromCharCode(...(await sha256(text))))}'`;
}

/** Only this script and this style, no frames, forms or plug-ins; any node may be spoken to. */
async function policy(script: string, style: string): Promise<string> {
  return [
    "default-src 'none'",
    `script-src ${await source(script)}`,
    `style-src ${await source(style)}`,
    "img-src data: blob:",
    "media-src blob:",
    "connect-src http: https: ws: wss:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types hedgerow",
  ].join("; ");
}

/** The bytes of the file, as text. */
export async function wholeFile(script: string, style: string): Promise<string> {
  const parts: Record<string, string> = {
    POLICY: await policy(script, style),
    STYLE: style,
    ICONS: icons.trim(),
    SCRIPT: script,
  };
  return page.replace(/@@([A-Z]+)@@/g, (_, name: string) => parts[name] ?? "");
}

/** The eight words, and all of the SHA-256 in hex. */
export async function fingerprint(file: string): Promise<{ words: string; hex: string }> {
  const digest = await sha256(file);
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { words: spoken(digest, WORDS), hex };
}
