/** Which program this is, and whether it, or the node's, has changed. */
import { signal } from "@preact/signals";
import type { Bundle, Change } from "../offline.ts";
import { place } from "./place.ts";

/** The bundle in use; null while unknown, and where there is no service worker. */
export const program = signal<Bundle | null>(null);
/** What is to be said about it; null when there is nothing, or it was read. */
export const programChange = signal<Change | null>(null);
/** How many other sites say that they serve another bundle of the same version. */
export const programDiffers = signal(0);

/** Begins to look. Never rejects: the app works without. */
export async function watchProgram(
  start: (tell: (change: Change) => void) => Promise<Bundle | undefined>,
): Promise<void> {
  const [inUse] = await Promise.all([
    start((change) => {
      programChange.value = change;
    }),
    askOthers(),
  ]);
  program.value = inUse ?? null;
}

async function askOthers(): Promise<void> {
  try {
    const answer = await fetch(`${place().node}/api/v1/status`, { credentials: "omit" });
    const { bundle_differs: differs } = (await answer.json()) as { bundle_differs?: unknown };
    if (answer.ok && typeof differs === "number") programDiffers.value = differs;
  } catch {
    // offline: asked again at the next start
  }
}
