/** Pictures and files beside the message being written. */
import { useRef, useState } from "preact/hooks";
import { BOUNDS, type RoomId } from "../../client/types.ts";
import { Icon } from "../../parts/icon.tsx";
import { call, sentenceFor, tell } from "../../state/client.ts";
import { language, t } from "../../state/language.ts";
import { isPicture, prepare, sizeWords, UnreadablePicture } from "../../state/pictures.ts";

export interface Pending {
  readonly key: number;
  readonly name: string;
  readonly size: number;
  readonly picture: boolean;
  /** What the client gave for it; "" while it is being prepared. */
  readonly token: string;
}

export interface PendingFiles {
  readonly pending: readonly Pending[];
  readonly busy: boolean;
  readonly wrong: string;
  add(files: readonly File[]): void;
  remove(one: Pending): void;
  clear(): void;
}

export function useFiles(room: RoomId): PendingFiles {
  const [pending, setPending] = useState<readonly Pending[]>([]);
  const [wrong, setWrong] = useState("");
  const next = useRef(0);

  const take = async (file: File): Promise<void> => {
    next.current += 1;
    const key = next.current;
    const shown = { key, name: file.name, size: file.size, picture: isPicture(file.type), token: "" };
    setPending((all) => [...all, shown]);
    const without = (all: readonly Pending[]) => all.filter((each) => each.key !== key);
    try {
      if (!shown.picture && file.size > BOUNDS.fileBytes) throw { name: "ClientFailure", code: "too-large" };
      const made = await prepare(file);
      const { attachment } = await call("attach", { room, ...made });
      const done = { ...shown, name: made.name, size: made.bytes.length, token: attachment };
      setPending((all) => all.map((each) => (each.key === key ? done : each)));
    } catch (error) {
      setPending(without);
      setWrong(error instanceof UnreadablePicture ? t("app.file.unreadable") : sentenceFor(error));
    }
  };

  return {
    pending,
    wrong,
    busy: pending.some((each) => !each.token),
    add: (files) => {
      const space = BOUNDS.filesPerMessage - pending.length;
      setWrong(files.length > space ? t("app.file.too_many", { count: BOUNDS.filesPerMessage }) : "");
      for (const file of files.slice(0, space)) take(file);
    },
    remove: (one) => {
      setPending((all) => all.filter((each) => each.key !== one.key));
      if (one.token) tell("detach", { attachment: one.token });
    },
    clear: () => setPending([]),
  };
}

export function Files({ files }: { files: PendingFiles }) {
  const plain = files.pending.some((each) => !each.picture);
  return (
    <>
      {files.pending.length > 0 && (
        <ul class="pending">
          {files.pending.map((each) => (
            <li key={each.key}>
              <Icon name={each.picture ? "picture" : "file"} />
              <span dir="auto">
                {each.name} ({sizeWords(each.size, language().code)})
              </span>
              <button class="button quiet small" type="button" onClick={() => files.remove(each)}>
                {t("app.file.remove")} <span class="unseen">{each.name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {files.pending.length > 0 && <p class="hint">{t(plain ? "app.file.note_file" : "app.file.note_picture")}</p>}
      {files.wrong && (
        <p class="field-error" role="alert">
          {files.wrong}
        </p>
      )}
    </>
  );
}
