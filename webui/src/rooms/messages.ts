/** Edits and deletions, which only the author of a message can make. Pure, for whoever stores the messages. */
import type { Attachment, B64, Change } from "./types.ts";

export type Message = {
  readonly id: B64;
  readonly by: B64;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly edited: boolean;
  readonly deleted: boolean;
};

/**
 * The message after a change that names its id; the same value when the change has no effect: somebody else's message,
 * one already deleted, a second message with the id. `old` is what is stored under (id), undefined when nothing is.
 */
export function amend<M extends Message>(
  old: M | undefined,
  change: Extract<Change, { type: "edit" | "delete" }>,
): M | undefined {
  if (old === undefined || old.deleted || old.by !== change.by || old.id !== change.id) return old;
  if (change.type === "edit") return { ...old, text: change.text, edited: true };
  return { ...old, text: "", attachments: [], deleted: true };
}
