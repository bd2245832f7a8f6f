/** A box that says something beside the matter at hand. */
import type { ComponentChildren } from "preact";

interface Props {
  kind?: "info" | "done" | "warn" | "error";
  heading?: string;
  children: ComponentChildren;
}

export function Notice({ kind = "info", heading, children }: Props) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : kind === "done" ? "status" : undefined}>
      {heading && <h2>{heading}</h2>}
      {children}
    </div>
  );
}
