/** One message, and what can be done with it. */
import { useEffect, useState } from "preact/hooks";
import type { MessageItem, RoomId } from "../../client/types.ts";
import { ActionButton, useAction, Wrong } from "../../parts/action.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Face } from "../../parts/face.tsx";
import { Icon } from "../../parts/icon.tsx";
import { RichText } from "../../parts/rich.tsx";
import { Time } from "../../parts/time.tsx";
import { call, offline } from "../../state/client.ts";
import { clock } from "../../state/clock.ts";
import { t } from "../../state/language.ts";
import { orSomebody } from "../../state/names.ts";
import { plainLine } from "../../state/rich.ts";
import { answering, changing } from "../../state/room.ts";
import { clockTime } from "../../state/time-words.ts";
import { Attachments } from "./attachments.tsx";
import { showMessage } from "./log.tsx";

interface Props {
  room: RoomId;
  /** Another community keeps the room. */
  far: boolean;
  item: MessageItem;
  /** One may write here. */
  inside: boolean;
  /** The same person wrote just before: the name is not shown again (but still read out). */
  together: boolean;
  /** The one message that Tab stops at. */
  tabbable: boolean;
}

export function Message({ room, far, item, inside, together, tabbable }: Props) {
  const [open, setOpen] = useState(false);
  const name = item.mine ? t("app.you") : orSomebody(item.name);
  const classes = ["message", item.mine ? "mine" : "", together ? "together" : ""].filter(Boolean).join(" ");
  return (
    <li class={classes} id={`message-${item.id}`}>
      <div class="message-row">
        {!item.mine && (together ? <span class="face-gap" /> : <Face name={name} seed={item.by} />)}
        <div class="bubble">
          <p class="byline">
            <span class={together || item.mine ? "unseen" : "author"} dir="auto">
              {name}
            </span>{" "}
            <Time at={item.time} style="clock" />
            {item.edited && !item.deleted && <span> · {t("app.message.edited")}</span>}
          </p>
          {item.replyTo && <Quoted reply={item.replyTo} />}
          {item.deleted ? (
            <p class="gone">{t("app.message.deleted")}</p>
          ) : (
            <>
              {item.text && <RichText text={item.text} />}
              <Attachments room={room} item={item} />
            </>
          )}
          <Status room={room} far={far} item={item} />
        </div>
        {!item.deleted && (
          <button
            class="more-button"
            type="button"
            tabIndex={tabbable ? 0 : -1}
            aria-expanded={open}
            aria-label={t("app.message.more", { name, time: clockTime(clock(), item.time) })}
            onClick={() => setOpen(!open)}
          >
            <Icon name="more" />
          </button>
        )}
      </div>
      {open && <Actions room={room} item={item} inside={inside} onClose={() => setOpen(false)} />}
    </li>
  );
}

function Quoted({ reply }: { reply: NonNullable<MessageItem["replyTo"]> }) {
  return (
    <button class="quoted" type="button" onClick={() => showMessage(reply.id).catch(() => undefined)}>
      <span class="unseen">{t("app.message.answers")} </span>
      <strong dir="auto">{orSomebody(reply.name)}</strong>
      <span dir="auto">{plainLine(reply.text) || t("app.message.deleted")}</span>
    </button>
  );
}

/** Only what somebody needs to know: nothing at all once a message is safe on its way. */
function Status({ room, far, item }: { room: RoomId; far: boolean; item: MessageItem }) {
  const action = useAction();
  if (item.status === "sent") return null;
  if (item.status === "waiting") return <Waiting item={item} far={far} />;
  const ids = { room, id: item.id };
  return (
    <div class="status failed">
      <p>
        <Icon name="warn" />
        {t("app.message.failed")}
      </p>
      <Wrong action={action} />
      <p class="buttons">
        <ActionButton action={action} class="small" onPress={() => action.run(() => call("retry", ids))}>
          {t("app.message.retry")}
        </ActionButton>
        <ActionButton action={action} class="small quiet" onPress={() => action.run(() => call("drop", ids))}>
          {t("app.message.drop")}
        </ActionButton>
      </p>
    </div>
  );
}

/** Seconds after which a message to another community is said to be under way. */
const UNDER_WAY = 10;

function Waiting({ item, far }: { item: MessageItem; far: boolean }) {
  const left = item.time + UNDER_WAY - Date.now() / 1000;
  const [late, setLate] = useState(left <= 0);
  useEffect(() => {
    if (late || !far) return;
    const timer = setTimeout(() => setLate(true), left * 1000);
    return () => clearTimeout(timer);
  }, [far, late]);
  const online = far && late ? "app.message.far" : "app.message.sending";
  return (
    <p class="status">
      <Icon name="clock" />
      {t(offline.value ? "app.message.queued" : online)}
    </p>
  );
}

interface ActionsProps {
  room: RoomId;
  item: MessageItem;
  inside: boolean;
  onClose: () => void;
}

function Actions({ room, item, inside, onClose }: ActionsProps) {
  const [asking, ask] = useState(false);
  const action = useAction();
  const write = (): void => {
    onClose();
    requestAnimationFrame(() => document.getElementById("field-message")?.focus());
  };
  const remove = async (): Promise<void> => {
    if (await action.run(() => call("delete", { room, id: item.id }))) ask(false);
  };
  return (
    <div class="message-actions">
      {inside && item.status === "sent" && (
        <button
          type="button"
          onClick={() => {
            changing.value = null;
            answering.value = item;
            write();
          }}
        >
          {t("app.message.reply")}
        </button>
      )}
      {item.text && (
        <button type="button" onClick={() => navigator.clipboard?.writeText(item.text).then(onClose, onClose)}>
          {t("app.message.copy")}
        </button>
      )}
      {inside && item.mine && item.status === "sent" && (
        <>
          {item.text && (
            <button
              type="button"
              onClick={() => {
                answering.value = null;
                changing.value = item;
                write();
              }}
            >
              {t("app.message.edit")}
            </button>
          )}
          <button type="button" onClick={() => ask(true)}>
            {t("app.message.delete")}
          </button>
        </>
      )}
      {asking && (
        <Dialog
          heading={t("app.message.delete_heading")}
          act={t("app.message.delete")}
          danger
          action={action}
          onAct={remove}
          onClose={() => ask(false)}
        >
          <p>{t("app.message.delete_text")}</p>
        </Dialog>
      )}
    </div>
  );
}
