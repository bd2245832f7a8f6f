/** Pictures and files of a message. A picture that is not on this device yet waits until somebody wants to see it. */
import { useEffect, useState } from "preact/hooks";
import type { AttachmentView, MessageItem, RoomId } from "../../client/types.ts";
import { useAction, Wrong } from "../../parts/action.tsx";
import { Icon } from "../../parts/icon.tsx";
import { call } from "../../state/client.ts";
import { language, t } from "../../state/language.ts";
import { SHOWN, save, sizeWords } from "../../state/pictures.ts";

export function Attachments({ room, item }: { room: RoomId; item: MessageItem }) {
  if (item.attachments.length === 0) return null;
  return (
    <ul class="attachments">
      {item.attachments.map((each, index) => (
        <li key={index}>
          <One room={room} message={item.id} index={index} file={each} />
        </li>
      ))}
    </ul>
  );
}

interface Props {
  room: RoomId;
  message: string;
  index: number;
  file: AttachmentView;
}

function One({ room, message, index, file }: Props) {
  const action = useAction();
  const [address, setAddress] = useState("");
  const picture = SHOWN.has(file.type);
  const size = sizeWords(file.size, language().code);

  const fetch = () => call("openAttachment", { room, message, index });
  const show = (): Promise<boolean> =>
    action.run(async () => {
      const { bytes, type } = await fetch();
      setAddress(URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type })));
    });
  const keep = (): Promise<boolean> =>
    action.run(async () => {
      const { name, type, bytes } = await fetch();
      save(name, type, bytes);
    });

  useEffect(() => {
    if (picture && file.place === "here") show();
  }, [message, index]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);

  if (file.place === "gone") return <p class="gone">{t("app.file.gone", { name: file.name })}</p>;
  if (address) {
    return (
      <button class="picture" type="button" aria-label={t("app.file.save", { name: file.name, size })} onClick={keep}>
        <img src={address} alt={file.name} width={file.width ?? undefined} height={file.height ?? undefined} />
      </button>
    );
  }
  return (
    <>
      <button
        class="button quiet small"
        type="button"
        aria-disabled={action.busy ? "true" : undefined}
        onClick={picture ? show : keep}
      >
        <Icon name={picture ? "picture" : "file"} />
        <span dir="auto">{t(picture ? "app.file.show" : "app.file.save", { name: file.name, size })}</span>
      </button>
      <Wrong action={action} />
    </>
  );
}
