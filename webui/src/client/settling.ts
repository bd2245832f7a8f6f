/** Waiting for quiet: for programs that end by themselves, and for tests. */
import type { LocalClient } from "./client.ts";

/** Waits until everything is sent and every chore is done, or the seconds are over. False in the latter case. */
export async function settle(client: LocalClient, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  if (!client.home.core.account || client.home.core.account.revoked) return true;
  // Twice in a row: what one part has ended, another may be about to take up.
  for (let quiet = 0; quiet < 2; ) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 40));
    quiet = client.home.busy ? 0 : quiet + 1;
  }
  await client.home.follower.flush();
  return true;
}
