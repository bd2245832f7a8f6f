/** The client in Node.js: the same code as in the browser's worker, over a folder instead of IndexedDB. */
import { LocalClient } from "../client/client.ts";
import { systemNetwork, systemTime } from "../client/world.ts";
import { FileStorage } from "../vault/file.ts";

export interface Options {
  /** The folder with everything this device knows. */
  readonly state: string;
  /** Say on stderr what goes wrong behind. */
  readonly verbose: boolean;
}

export async function openClient({ state, verbose }: Options): Promise<LocalClient> {
  const storage = await FileStorage.open(state);
  const report = (problem: unknown, where: string) => {
    if (verbose) console.error(`${where}:`, problem);
  };
  try {
    return await LocalClient.open({ ...systemTime, network: systemNetwork, storage, report });
  } catch (problem) {
    await storage.close();
    throw problem;
  }
}
