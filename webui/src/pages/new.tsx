/** A new conversation: with one person, or with a group. */
import { useState } from "preact/hooks";
import { BOUNDS } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { ErrorSummary, type Mistake, SelectField, TextArea, TextField } from "../parts/field.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { memberName } from "../state/names.ts";
import { useRoom } from "../state/room.ts";
import { go } from "../state/route.ts";

const HOME = { page: "home" } as const;

export function NewPage() {
  return (
    <PageFrame title={t("app.new.title")} heading={t("app.new.title")} back={{ to: HOME, label: t("app.home.title") }}>
      <ul class="tasks">
        <li>
          <Go to={{ page: "new-pair" }}>{t("app.new.pair")}</Go>
          <p>{t("app.new.pair_text")}</p>
        </li>
        <li>
          <Go to={{ page: "new-room" }}>{t("app.new.room")}</Go>
          <p>{t("app.new.room_text")}</p>
        </li>
        <li>
          <Go to={{ page: "open-link" }}>{t("app.open_link.title")}</Go>
          <p>{t("app.new.link_text")}</p>
        </li>
      </ul>
    </PageFrame>
  );
}

const APPROVALS = ["auto", "1", "2", "3", "4", "5"] as const;

export function NewRoomPage() {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [approvals, setApprovals] = useState("auto");
  const create = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const title = String(data.get("title") ?? "").trim();
    const name = String(data.get("name") ?? "").trim();
    const wrong: Mistake[] = [];
    if (!title) wrong.push({ field: "title", text: t("app.new.title_missing") });
    if (!name) wrong.push({ field: "name", text: t("app.form.name_missing") });
    setMistakes(wrong);
    if (wrong.length > 0) return;
    const rule = approvals === "auto" ? "auto" : Number(approvals);
    await action.run(async () => {
      const { room } = await call("createRoom", { title, name, approvals: rule });
      go({ page: "room", room });
    });
  };
  const options = APPROVALS.map((each) => {
    const label = each === "auto" ? t("app.new.approvals_auto") : t("app.new.approvals_count", { count: Number(each) });
    return [each, label] as const;
  });
  return (
    <PageFrame
      title={t("app.new.room")}
      heading={t("app.new.room")}
      back={{ to: { page: "new" }, label: t("app.new.title") }}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          create(event.currentTarget);
        }}
      >
        <TextField
          name="title"
          label={t("app.new.room_name")}
          hint={t("app.new.room_name_hint")}
          mistakes={mistakes}
          maxLength={BOUNDS.titleCharacters}
          autocomplete="off"
        />
        <TextField
          name="name"
          label={t("app.join.name")}
          hint={t("app.new.own_name_hint")}
          mistakes={mistakes}
          maxLength={BOUNDS.nameCharacters}
          defaultValue={state.value?.account?.name ?? ""}
          autocomplete="off"
        />
        <SelectField
          name="approvals"
          label={t("app.new.approvals")}
          hint={t("app.new.approvals_hint")}
          options={options}
          value={approvals}
          onChoose={setApprovals}
        />
        <Rules approvals={approvals} />
        <Wrong action={action} />
        <ActionButton action={action}>{t("app.new.create")}</ActionButton>
      </form>
    </PageFrame>
  );
}

function Rules({ approvals }: { approvals: string }) {
  return (
    <>
      <h2>{t("app.rules.heading")}</h2>
      <ul>
        <li>{t("app.rules.equal")}</li>
        <li>{approvals === "auto" ? t("app.rules.join_auto") : t("app.rules.join", { count: Number(approvals) })}</li>
        <li>{t("app.rules.remove")}</li>
        <li>{t("app.rules.leave")}</li>
        <li>{t("app.rules.fixed")}</li>
      </ul>
    </>
  );
}

/** A one-on-one: with somebody from a room, or with whoever gets the link. */
export function NewPairPage({ room, member }: { room?: string | undefined; member?: string | undefined }) {
  return room && member ? <PairWith room={room} member={member} /> : <PairForm back={{ page: "new" }} />;
}

function PairWith({ room, member }: { room: string; member: string }) {
  const view = useRoom(room);
  if (!view) return null;
  return <PairForm back={{ page: "people", room }} other={memberName(view, member)} with={{ room, member }} />;
}

interface PairProps {
  back: { page: "new" } | { page: "people"; room: string };
  other?: string;
  with?: { room: string; member: string };
}

function PairForm({ back, other, with: target }: PairProps) {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const create = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const name = String(data.get("name") ?? "").trim();
    const words = String(data.get("words") ?? "").trim();
    if (!name) return setMistakes([{ field: "name", text: t("app.form.name_missing") }]);
    setMistakes([]);
    await action.run(async () => {
      const { room, link } = await call("startPair", {
        name,
        ...(words ? { words } : {}),
        ...(target ? { with: target } : {}),
      });
      // To somebody known the invitation goes by itself; a link must be handed over.
      go(link && !target ? { page: "invite", room } : { page: "room", room });
    });
  };
  const heading = other ? t("app.new.pair_with", { name: other }) : t("app.new.pair");
  return (
    <PageFrame
      title={t("app.new.pair")}
      heading={heading}
      back={{ to: back, label: t(back.page === "new" ? "app.new.title" : "app.people.title") }}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      <p>{other ? t("app.new.pair_with_text", { name: other }) : t("app.new.pair_lead")}</p>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          create(event.currentTarget);
        }}
      >
        <TextField
          name="name"
          label={t("app.join.name")}
          hint={t("app.new.own_name_hint")}
          mistakes={mistakes}
          maxLength={BOUNDS.nameCharacters}
          defaultValue={state.value?.account?.name ?? ""}
          autocomplete="off"
        />
        <TextArea
          name="words"
          label={t("app.invite.words")}
          hint={t("app.invite.words_hint")}
          rows={2}
          maxLength={BOUNDS.wordsCharacters}
        />
        <Wrong action={action} />
        <ActionButton action={action}>{t(other ? "app.new.pair_ask" : "app.new.pair_link")}</ActionButton>
      </form>
    </PageFrame>
  );
}
