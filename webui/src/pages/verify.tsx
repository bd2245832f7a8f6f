/** Making sure that somebody is who they say: the same number, or a look at each other's code. */
import { useEffect, useState } from "preact/hooks";
import type { MemberId, RoomId, Verification } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { QrCode } from "../parts/qr.tsx";
import { Scanner } from "../parts/scan.tsx";
import { call, sentenceFor } from "../state/client.ts";
import { t } from "../state/language.ts";
import { memberName } from "../state/names.ts";
import { useRoom } from "../state/room.ts";

export function VerifyPage({ room, member }: { room: RoomId; member: MemberId }) {
  const view = useRoom(room);
  const [found, setFound] = useState<Verification | null>(null);
  const [failed, fail] = useState("");
  const load = (): void => {
    call("verification", { room, member }).then(setFound, (error) => fail(sentenceFor(error)));
  };
  useEffect(load, [room, member]);
  const name = view ? memberName(view, member) : t("app.somebody");
  return (
    <PageFrame
      title={t("app.verify.title")}
      heading={t("app.verify.heading", { name })}
      back={{ to: { page: "people", room }, label: t("app.people.title") }}
    >
      <p class="lead">{t("app.verify.lead", { name })}</p>
      {failed && (
        <Notice kind="warn">
          <p>{failed}</p>
        </Notice>
      )}
      {found && <Compare room={room} member={member} name={name} found={found} onChange={load} />}
    </PageFrame>
  );
}

interface Props {
  room: RoomId;
  member: MemberId;
  name: string;
  found: Verification;
  onChange: () => void;
}

function Compare({ room, member, name, found, onChange }: Props) {
  const action = useAction();
  const [other, setOther] = useState(false);
  const ids = { room, member };
  const set = async (verified: boolean): Promise<void> => {
    if (await action.run(() => call("setVerified", { ...ids, verified }))) onChange();
  };
  const scanned = (text: string): void => {
    action.run(async () => {
      const { match } = await call("verifyScanned", { ...ids, scanned: text });
      setOther(!match);
      onChange();
    });
  };
  return (
    <>
      {found.verified && (
        <Notice kind="done">
          <p>{t("app.verify.done", { name })}</p>
          <ActionButton action={action} class="quiet" onPress={() => set(false)}>
            {t("app.verify.undo")}
          </ActionButton>
        </Notice>
      )}
      {other && (
        <Notice kind="error" heading={t("app.verify.other")}>
          <p>{t("app.verify.other_text", { name })}</p>
        </Notice>
      )}
      <h2>{t("app.verify.number")}</h2>
      <p>{t("app.verify.number_text", { name })}</p>
      <ol class="digits" dir="ltr">
        {(found.number.match(/\d{5}/g) ?? []).map((group, index) => (
          <li key={index}>{group}</li>
        ))}
      </ol>
      {!found.verified && (
        <p class="buttons">
          <ActionButton action={action} onPress={() => set(true)}>
            {t("app.verify.same")}
          </ActionButton>
          <button class="button quiet" type="button" onClick={() => setOther(true)}>
            {t("app.verify.differs")}
          </button>
        </p>
      )}
      <Wrong action={action} />
      <h2>{t("app.verify.code")}</h2>
      <p>{t("app.verify.code_text", { name })}</p>
      <QrCode text={found.code} label={t("app.verify.code_own")} />
      <Scanner onRead={scanned} />
    </>
  );
}
