/** Where things are: what the page that carries the app says about itself on its root element. */

export interface Place {
  /** Base address of the node, without a slash at its end; "" when nobody said (a saved copy of the app). */
  readonly node: string;
  /** This is the saved client: one file, opened from a disk. */
  readonly saved: boolean;
  /** Path of the app's page: all of its views live under this one address. */
  readonly app: string;
  /** The drawing of all icons; "" when they stand in the page itself. */
  readonly icons: string;
  readonly icon: string;
  /** An icon that says nothing about this place, for the disguise. */
  readonly plainIcon: string;
  readonly community: string;
  readonly home: string;
  readonly help: string;
  readonly leaving: string;
  readonly safe: string;
  readonly exit: string;
  /** Languages to choose from: code and own name. */
  readonly languages: readonly (readonly [code: string, name: string])[];
}

let found: Place | null = null;

/** Reads the root's `data-…`; to be called once, before anything is drawn. */
export function readPlace(root: HTMLElement): Place {
  const data = root.dataset;
  const node = data.node ?? "";
  found = {
    node: node.startsWith("http") || location.protocol === "file:" ? node : location.origin + node,
    saved: location.protocol === "file:",
    app: data.app || location.pathname,
    icons: data.icons ?? "",
    icon: data.icon ?? "",
    plainIcon: data.plainIcon ?? "",
    community: data.community ?? "",
    home: data.home ?? "",
    help: data.help ?? "",
    leaving: data.leaving ?? "",
    safe: data.safe ?? "",
    exit: data.exit ?? "",
    languages: JSON.parse(data.languages || "[]") as [string, string][],
  };
  return found;
}

export function place(): Place {
  if (!found) throw new Error("the page has not been read");
  return found;
}
