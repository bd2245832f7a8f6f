/** An invitation, opened: who invites to what, one field for a name, and in. */
import { useEffect, useState } from "preact/hooks";
import { BOUNDS, type ErrorCode, type InviteView } from "../client/types.ts";
import { ActionButton, useAction } from "../parts/action.tsx";
import { CopyLink } from "../parts/copy.tsx";
import { ErrorSummary, type Mistake, TextArea, TextField } from "../parts/field.tsx";
import { Go } from "../parts/link.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, codeOf, sentenceFor, state } from "../state/client.ts";
import { clock } from "../state/clock.ts";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";
import { go } from "../state/route.ts";
import { untilWords } from "../state/time-words.ts";

export function JoinPage({ link }: { link: string }) {
  const [invite, setInvite] = useState<InviteView | null>(null);
  const [failed, fail] = useState<ErrorCode | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    fail(null);
    call("openInvite", { link }).then(setInvite, (error) => fail(codeOf(error)));
  }, [link, tries]);

  if (failed) return <Failed code={failed} onRetry={() => setTries(tries + 1)} />;
  if (!invite) {
    return (
      <PageFrame title={t("app.join.title")} heading={t("app.join.title")}>
        <p role="status">{t("app.join.opening")}</p>
      </PageFrame>
    );
  }
  if (!invite.open) return <Failed code="invite-gone" />;
  // A link for one person that lets nobody new in has let somebody in already.
  const used = invite.room?.kind === "pair" ? "invite-gone" : "invite-no-account";
  if (!invite.known && !invite.accounts) return <Failed code={used} link={link} />;
  return <Invited invite={invite} link={link} />;
}

/** Codes for which the same link may work in a while. */
const PASSING: readonly ErrorCode[] = ["offline", "waiting", "slow-down", "node-error"];

function Failed({ code, link, onRetry }: { code: ErrorCode; link?: string; onRetry?: () => void }) {
  return (
    <PageFrame title={t("app.join.title")} heading={t("app.join.failed")}>
      <Notice kind="warn">
        <p>{t(`app.error.${code}`)}</p>
      </Notice>
      <p class="buttons">
        {onRetry && PASSING.includes(code) && (
          <button class="button" type="button" onClick={onRetry}>
            {t("app.again")}
          </button>
        )}
        <Go class="button quiet" to={{ page: "home" }}>
          {t(state.value?.account ? "app.home.title" : "app.start.back")}
        </Go>
      </p>
      {link && <Elsewhere link={link} />}
    </PageFrame>
  );
}

/** "Ana invites you to talk, just you two", and its kin. */
export function invitation(invite: InviteView): string {
  const { room, from } = invite;
  const community = invite.community || place().community;
  if (!room)
    return from ? t("app.join.to_community", { name: from, community }) : t("app.join.community", { community });
  if (room.kind === "pair") return from ? t("app.join.to_pair", { name: from }) : t("app.join.pair");
  const title = room.title || t("app.room.new_room");
  return from ? t("app.join.to_room", { name: from, title }) : t("app.join.room", { title });
}

function Invited({ invite, link }: { invite: InviteView; link: string }) {
  const action = useAction();
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const [failure, setFailure] = useState("");
  const group = invite.room?.kind === "room";
  const nothingToAsk = invite.known && !invite.room;

  const join = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const name = String(data.get("name") ?? "").trim();
    const words = String(data.get("words") ?? "").trim();
    setFailure("");
    if (!name) return setMistakes([{ field: "name", text: t("app.form.name_missing") }]);
    setMistakes([]);
    const input = { link, name, ...(words ? { words } : {}) };
    await action.run(async () => {
      try {
        const { room } = await call(invite.known ? "ask" : "register", input);
        go(room ? { page: "room", room } : { page: "home" });
      } catch (error) {
        setFailure(sentenceFor(error));
      }
    });
  };

  return (
    <PageFrame
      title={t("app.join.title")}
      heading={<span dir="auto">{invitation(invite)}</span>}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      {failure && (
        <Notice kind="error">
          <p>{failure}</p>
        </Notice>
      )}
      {invite.words && (
        <blockquote class="words" dir="auto">
          {invite.words}
        </blockquote>
      )}
      {nothingToAsk ? (
        <>
          <p>{invite.far ? t("app.join.far", { community: invite.community }) : t("app.join.known")}</p>
          <Go class="button" to={{ page: "home" }}>
            {t("app.home.title")}
          </Go>
        </>
      ) : (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            join(event.currentTarget);
          }}
        >
          <TextField
            name="name"
            label={t("app.join.name")}
            hint={t("app.join.name_hint")}
            mistakes={mistakes}
            maxLength={BOUNDS.nameCharacters}
            defaultValue={state.value?.account?.name ?? ""}
            autocomplete="off"
          />
          {group && (
            <TextArea
              name="words"
              label={t("app.join.words")}
              hint={t("app.join.words_hint")}
              rows={2}
              maxLength={BOUNDS.wordsCharacters}
            />
          )}
          <ActionButton action={action}>{t(group ? "app.join.ask" : "app.join.go")}</ActionButton>
        </form>
      )}
      <GoodToKnow invite={invite} />
      {!invite.known && invite.room && <Elsewhere link={link} />}
    </PageFrame>
  );
}

/** A link that names its node leads here from any community: its people need no second account. */
function Elsewhere({ link }: { link: string }) {
  if (!/#[\w-]+\.[\w-]+$/.test(link)) return null;
  return (
    <details>
      <summary>{t("app.join.elsewhere")}</summary>
      <p>{t("app.join.elsewhere_text", { open: t("app.open_link.title") })}</p>
      <CopyLink name="elsewhere" label={t("app.invite.link")} text={link} />
    </details>
  );
}

function GoodToKnow({ invite }: { invite: InviteView }) {
  return (
    <>
      <h2>{t("app.join.know")}</h2>
      <ul>
        <li>{t("app.join.know_private")}</li>
        {invite.room?.kind === "room" && <li>{t("app.join.know_ask")}</li>}
        <li>{t("app.join.know_leave")}</li>
        {!invite.known && <li>{t("app.join.know_account")}</li>}
      </ul>
      <p class="hint">{t("app.join.expires", { when: untilWords(clock(), invite.expires) })}</p>
      {!invite.known && (
        <p>
          <Go to={{ page: "link-new" }}>{t("app.join.have_account")}</Go>
        </p>
      )}
    </>
  );
}
