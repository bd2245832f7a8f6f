/** A question that must be answered before going on: the browser's own dialog, which holds the focus and closes on Escape. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../state/language.ts";
import { type Action, ActionButton, Wrong } from "./action.tsx";

interface Props {
  heading: string;
  /** Label of the button that does it. */
  act: string;
  danger?: boolean;
  action: Action;
  onAct: () => void;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ heading, act, danger, action, onAct, onClose, children }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    // What opened it gets the focus back, if it is still there.
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      class="dialog"
      ref={box}
      aria-labelledby="dialog-heading"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id="dialog-heading">{heading}</h2>
      {children}
      <Wrong action={action} />
      <div class="buttons">
        <ActionButton action={action} class={danger ? "danger" : ""} onPress={onAct}>
          {act}
        </ActionButton>
        <button class="button quiet" type="button" onClick={onClose}>
          {t("app.cancel")}
        </button>
      </div>
    </dialog>
  );
}
