/** Somebody found a listing and may want to ask its group: what would happen, a name, a few words. */
import { useEffect, useState } from "preact/hooks";
import { BOUNDS, type ErrorCode, type ListingView } from "../client/types.ts";
import { ActionButton, useAction } from "../parts/action.tsx";
import { ErrorSummary, type Mistake, TextArea, TextField } from "../parts/field.tsx";
import { Go } from "../parts/link.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { call, codeOf, sentenceFor, state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";
import { go } from "../state/route.ts";

export function AskListingPage({ listing }: { listing: string }) {
  const [found, setFound] = useState<ListingView | null>(null);
  const [failed, fail] = useState<ErrorCode | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    fail(null);
    call("openListing", { listing }).then(setFound, (error) => fail(codeOf(error)));
  }, [listing, tries]);

  if (found) return <Found listing={found} />;
  return (
    <PageFrame title={t("app.listing.title")} heading={t("app.listing.title")}>
      {failed ? (
        <>
          <Notice kind="warn">
            <p>{t(`app.error.${failed}`)}</p>
          </Notice>
          <p class="buttons">
            {failed !== "unknown" && (
              <button class="button" type="button" onClick={() => setTries(tries + 1)}>
                {t("app.again")}
              </button>
            )}
            <a class="button quiet" href={place().home}>
              {t("app.start.groups")}
            </a>
          </p>
        </>
      ) : (
        <p role="status">{t("app.listing.opening")}</p>
      )}
    </PageFrame>
  );
}

function Found({ listing }: { listing: ListingView }) {
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const inside = listing.room !== "" && (listing.standing === "in" || listing.standing === "rejoining");
  const asks = listing.asks && listing.known && !inside;
  return (
    <PageFrame
      title={t("app.listing.title")}
      heading={<span dir="auto">{t(asks ? "app.listing.heading" : "app.listing.about", { name: listing.name })}</span>}
      wrong={mistakes.length > 0}
    >
      <ErrorSummary mistakes={mistakes} />
      {listing.summary && (
        <p class="lead" dir="auto">
          {listing.summary}
        </p>
      )}
      <p>
        <a href={`${place().node}/listings/${listing.listing}`}>{t("app.listing.more")}</a>
      </p>
      {inside ? (
        <Inside room={listing.room} />
      ) : !listing.asks ? (
        <OtherWays listing={listing} />
      ) : listing.known ? (
        <AskForm listing={listing} mistakes={mistakes} onMistakes={setMistakes} />
      ) : (
        <NoPlace listing={listing} />
      )}
    </PageFrame>
  );
}

function Inside({ room }: { room: string }) {
  return (
    <>
      <p>{t("app.listing.inside")}</p>
      <Go class="button" to={{ page: "room", room }}>
        {t("app.listing.open_room")}
      </Go>
    </>
  );
}

/** The group is not asked here. */
function OtherWays({ listing }: { listing: ListingView }) {
  const { joining, howToJoin } = listing;
  return (
    <Notice>
      <p>{t(`app.listing.${joining === "ask" ? "other" : joining}`)}</p>
      {howToJoin && <p dir="auto">{howToJoin}</p>}
    </Notice>
  );
}

/** Who has no account can't be written back to: say so, and what leads on. */
function NoPlace({ listing }: { listing: ListingView }) {
  return (
    <>
      <Notice heading={t("app.listing.no_place")}>
        <p>{t("app.listing.no_place_text", { community: place().community })}</p>
        <p>{t("app.listing.elsewhere")}</p>
        <p class="buttons">
          <Go class="button" to={{ page: "open-link" }}>
            {t("app.start.invited")}
          </Go>
          <Go class="button quiet" to={{ page: "home" }}>
            {t("app.start.back")}
          </Go>
        </p>
      </Notice>
      <h2>{t("app.listing.ways")}</h2>
      <p>{t("app.listing.ways_text")}</p>
      {listing.howToJoin && <p dir="auto">{listing.howToJoin}</p>}
    </>
  );
}

interface AskFormProps {
  listing: ListingView;
  mistakes: readonly Mistake[];
  onMistakes: (mistakes: readonly Mistake[]) => void;
}

function AskForm({ listing, mistakes, onMistakes }: AskFormProps) {
  const action = useAction();
  const [failure, setFailure] = useState("");
  const again = listing.standing === "asked";

  const ask = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const name = String(data.get("name") ?? "").trim();
    const words = String(data.get("words") ?? "").trim();
    setFailure("");
    if (!name) return onMistakes([{ field: "name", text: t("app.form.name_missing") }]);
    onMistakes([]);
    await action.run(async () => {
      try {
        const input = { listing: listing.listing, name, ...(words ? { words } : {}) };
        const { room } = await call("askListing", input);
        go({ page: "room", room });
      } catch (error) {
        setFailure(codeOf(error) === "invite-gone" ? t("app.listing.closed") : sentenceFor(error));
      }
    });
  };

  return (
    <>
      {again && (
        <Notice>
          <p>{t("app.listing.asked")}</p>
        </Notice>
      )}
      {failure && (
        <Notice kind="error">
          <p>{failure}</p>
        </Notice>
      )}
      <h2>{t("app.listing.happens")}</h2>
      <ul>
        <li>{t("app.listing.know_see")}</li>
        <li>{t("app.listing.know_decide")}</li>
        <li>{t("app.listing.know_answer")}</li>
        <li>{t("app.listing.know_apart")}</li>
        <li>{t("app.listing.know_site")}</li>
      </ul>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          ask(event.currentTarget);
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
        <TextArea
          name="words"
          label={t("app.join.words")}
          hint={t("app.listing.words_hint")}
          rows={4}
          maxLength={BOUNDS.wordsCharacters}
        />
        <ActionButton action={action}>{t(again ? "app.listing.again" : "app.join.ask")}</ActionButton>
      </form>
    </>
  );
}
