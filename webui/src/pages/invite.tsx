/** Invitations: a link and its code to hand over, and the ones that are still open. */
import { useEffect, useState } from "preact/hooks";
import { BOUNDS, type OwnInvite, type RoomId } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { CopyLink } from "../parts/copy.tsx";
import { SelectField, TextArea } from "../parts/field.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { QrCode } from "../parts/qr.tsx";
import { call, sentenceFor, state } from "../state/client.ts";
import { clock } from "../state/clock.ts";
import { t } from "../state/language.ts";
import { summaryName } from "../state/names.ts";
import { place } from "../state/place.ts";
import { untilWords } from "../state/time-words.ts";

const DAYS = [1, 7, 30] as const;
const USES = [1, 5, 20] as const;

export function InvitePage({ room }: { room?: RoomId | undefined }) {
  const [open, setOpen] = useState<readonly OwnInvite[] | null>(null);
  const [failed, fail] = useState("");
  const reload = async (): Promise<void> => {
    try {
      const all = await call("invites", {});
      setOpen(all.filter((each) => (room ? each.room === room : each.room === null)));
    } catch (error) {
      fail(sentenceFor(error));
    }
  };
  useEffect(() => {
    reload();
  }, [room]);

  const summary = state.value?.rooms.find((each) => each.room === room);
  const pair = summary?.kind === "pair";
  const name = summary ? summaryName(summary) : place().community;
  const heading = pair ? t("app.invite.pair") : t("app.invite.heading", { name });
  return (
    <PageFrame
      title={t("app.invite.short")}
      heading={heading}
      back={
        room
          ? { to: { page: "room", room }, label: t("app.room.title") }
          : { to: { page: "home" }, label: t("app.home.title") }
      }
    >
      <p class="lead">
        {t(pair ? "app.invite.pair_text" : room ? "app.invite.room_text" : "app.invite.community_text")}
      </p>
      {failed && (
        <Notice kind="warn">
          <p>{failed}</p>
        </Notice>
      )}
      {open?.map((each) => (
        <Open key={each.invite} invite={each} onGone={reload} />
      ))}
      {open && !(pair && open.length > 0) && <Make room={room} pair={pair} first={open.length === 0} onMade={reload} />}
      <h2>{t("app.join.know")}</h2>
      <ul>
        <li>{t("app.invite.know_hand")}</li>
        {room && !pair && <li>{t("app.invite.know_ask")}</li>}
        <li>{t("app.invite.know_see")}</li>
      </ul>
    </PageFrame>
  );
}

function Open({ invite, onGone }: { invite: OwnInvite; onGone: () => void }) {
  const action = useAction();
  const ends = t("app.invite.ends", { when: untilWords(clock(), invite.expires) });
  const uses = invite.usesLeft > 0 ? t("app.invite.uses_left", { count: invite.usesLeft }) : "";
  return (
    <section class="card invite-card" aria-label={t("app.invite.one")}>
      {invite.link ? (
        <>
          <QrCode text={invite.link} label={t("app.invite.qr")} />
          <CopyLink name={`link-${invite.invite}`} label={t("app.invite.link")} text={invite.link} />
        </>
      ) : (
        <p>{t("app.invite.elsewhere")}</p>
      )}
      <p class="hint">
        {ends} {uses}
      </p>
      <ActionButton
        action={action}
        class="quiet"
        onPress={() =>
          action.run(() => call("withdrawInvite", { invite: invite.invite })).then((went) => went && onGone())
        }
      >
        {t("app.invite.withdraw")}
      </ActionButton>
      <Wrong action={action} />
    </section>
  );
}

interface MakeProps {
  room?: RoomId | undefined;
  pair: boolean;
  first: boolean;
  onMade: () => void;
}

function Make({ room, pair, first, onMade }: MakeProps) {
  const action = useAction();
  const [days, setDays] = useState("7");
  const [uses, setUses] = useState("1");
  const make = async (form: HTMLFormElement): Promise<void> => {
    const words = String(new FormData(form).get("words") ?? "").trim();
    const name = state.value?.account?.name;
    const went = await action.run(() =>
      call("makeInvite", {
        days: Number(days),
        uses: pair ? 1 : Number(uses),
        accounts: state.value?.account?.mayInvite ?? false,
        ...(room ? { room } : {}),
        ...(name ? { name } : {}),
        ...(words ? { words } : {}),
      }),
    );
    if (went) onMade();
  };
  return (
    <details open={first}>
      <summary>{t(first ? "app.invite.make" : "app.invite.another")}</summary>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          make(event.currentTarget);
        }}
      >
        <TextArea
          name="words"
          label={t("app.invite.words")}
          hint={t("app.invite.words_hint")}
          rows={2}
          maxLength={BOUNDS.wordsCharacters}
        />
        <SelectField
          name="days"
          label={t("app.invite.days")}
          options={DAYS.map((each) => [String(each), t("app.invite.days_count", { count: each })] as const)}
          value={days}
          onChoose={setDays}
        />
        {!pair && (
          <SelectField
            name="uses"
            label={t("app.invite.uses")}
            options={USES.map((each) => [String(each), t("app.invite.uses_count", { count: each })] as const)}
            value={uses}
            onChoose={setUses}
          />
        )}
        <Wrong action={action} />
        <ActionButton action={action}>{t("app.invite.create")}</ActionButton>
      </form>
    </details>
  );
}
