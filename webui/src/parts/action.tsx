/** Something a person asked for that takes a while and may fail: one at a time, and what went wrong in a sentence. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import type { ErrorCode } from "../client/types.ts";
import { codeOf, sentenceFor } from "../state/client.ts";

export interface Action {
  readonly busy: boolean;
  /** The last failure's sentence, "" while there is none. */
  readonly wrong: string;
  readonly code: ErrorCode | null;
  /** Answers whether it went well. */
  run(what: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ code: ErrorCode; text: string } | null>(null);
  const running = useRef(false);
  const run = async (what: () => Promise<unknown>): Promise<boolean> => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setFailure(null);
    try {
      await what();
      return true;
    } catch (error) {
      setFailure({ code: codeOf(error), text: sentenceFor(error) });
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, wrong: failure?.text ?? "", code: failure?.code ?? null, run, clear: () => setFailure(null) };
}

interface ButtonProps {
  action: Action;
  /** What a click does; without it the button sends its form. */
  onPress?: () => void;
  class?: string;
  children: ComponentChildren;
}

/** A button that stays in its place while its action runs: it keeps the focus and only stops answering. */
export function ActionButton({ action, onPress, class: name, children }: ButtonProps) {
  return (
    <button
      class={`button ${name ?? ""}`}
      type={onPress ? "button" : "submit"}
      aria-disabled={action.busy ? "true" : undefined}
      onClick={(event) => {
        if (action.busy) event.preventDefault();
        else onPress?.();
      }}
    >
      {children}
    </button>
  );
}

/** The failure of an action, where it happened. */
export function Wrong({ action }: { action: Action }) {
  return action.wrong ? (
    <p class="field-error" role="alert">
      {action.wrong}
    </p>
  ) : null;
}
