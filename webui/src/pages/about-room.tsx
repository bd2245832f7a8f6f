/** One room's own settings: its name, one's name in it, keeping it, leaving. */
import { useState } from "preact/hooks";
import { BOUNDS, type RoomId, type RoomView } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Check, TextField } from "../parts/field.tsx";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call } from "../state/client.ts";
import { t } from "../state/language.ts";
import { viewName } from "../state/names.ts";
import { save } from "../state/pictures.ts";
import { useRoom } from "../state/room.ts";
import { go } from "../state/route.ts";
import { Leave } from "./people.tsx";
import { RoomIntake } from "./room-intake.tsx";
import { RoomPlaces } from "./room-move.tsx";

export function AboutRoomPage({ room }: { room: RoomId }) {
  const view = useRoom(room);
  return (
    <PageFrame
      title={t("app.about.title")}
      heading={t("app.about.title")}
      back={{ to: { page: "room", room }, label: view ? viewName(view) : t("app.room.title") }}
    >
      {view ? <Settings view={view} /> : <p>{t("app.loading")}</p>}
    </PageFrame>
  );
}

function Settings({ view }: { view: RoomView }) {
  const download = useAction();
  const own = view.members.find((member) => member.me);
  const inside = view.standing === "in";
  const { room } = view;
  return (
    <>
      {inside && view.kind === "room" && (
        <OneField
          name="title"
          label={t("app.new.room_name")}
          hint={t("app.about.title_hint")}
          value={view.title}
          max={BOUNDS.titleCharacters}
          onSave={(title) => call("setTitle", { room, title })}
        />
      )}
      {inside && (
        <OneField
          name="name"
          label={t("app.about.name")}
          hint={t("app.about.name_hint")}
          value={own?.name ?? ""}
          max={BOUNDS.nameCharacters}
          onSave={(name) => call("setName", { room, name })}
        />
      )}
      <h2>{t("app.people.title")}</h2>
      <p>
        <Icon name="people" />{" "}
        <Go to={{ page: "people", room }}>{t("app.people.count", { count: view.members.length })}</Go>
      </p>
      {inside && view.kind === "room" && <RoomIntake view={view} />}
      {inside && <RoomPlaces view={view} />}
      <h2>{t("app.about.keep")}</h2>
      <p>{t("app.about.keep_text")}</p>
      <ArchiveSwitch room={room} on={view.archive} />
      <p>
        <ActionButton
          action={download}
          class="quiet"
          onPress={() =>
            download.run(async () => {
              const file = await call("exportArchive", { room });
              save(file.name, "application/json", file.bytes);
            })
          }
        >
          {t("app.about.download")}
        </ActionButton>
      </p>
      <Wrong action={download} />
      {(inside || view.standing === "stuck" || view.standing === "asked") && (
        <>
          <h2>{t("app.leave.act")}</h2>
          <p>{t("app.leave.lead")}</p>
          <Leave view={view} onLeft={() => go({ page: "home" })} />
        </>
      )}
    </>
  );
}

/** Shows at once what was chosen, and what is so when it could not be done. */
function ArchiveSwitch({ room, on }: { room: RoomId; on: boolean }) {
  const action = useAction();
  const [wanted, want] = useState<boolean | null>(null);
  const [saved, setSaved] = useState(false);
  const set = async (chosen: boolean): Promise<void> => {
    if (action.busy) return;
    want(chosen);
    setSaved(false);
    setSaved(await action.run(() => call("setArchive", { room, on: chosen })));
    want(null);
  };
  return (
    <>
      <Check label={t("app.about.archive")} hint={t("app.about.archive_hint")} checked={wanted ?? on} onSet={set} />
      <Wrong action={action} />
      <p role="status" class="said">
        {saved && t("app.saved")}
      </p>
    </>
  );
}

interface OneFieldProps {
  name: string;
  label: string;
  hint: string;
  value: string;
  max: number;
  onSave: (value: string) => Promise<unknown>;
}

/** One text that can be changed and saved by itself. */
export function OneField({ name, label, hint, value, max, onSave }: OneFieldProps) {
  const action = useAction();
  const [saved, setSaved] = useState(false);
  const submit = async (form: HTMLFormElement): Promise<void> => {
    const text = String(new FormData(form).get(name) ?? "").trim();
    setSaved(false);
    if (text && (text === value || (await action.run(() => onSave(text))))) setSaved(true);
  };
  return (
    <form
      class="one-field"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      <TextField name={name} label={label} hint={hint} defaultValue={value} maxLength={max} autocomplete="off" />
      <ActionButton action={action} class="quiet">
        {t("app.save")}
      </ActionButton>
      <Wrong action={action} />
      <p role="status" class="said">
        {saved && t("app.saved")}
      </p>
    </form>
  );
}
