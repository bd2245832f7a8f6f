/** After the first message, when there is a moment: the offer of the recovery sheet. Never in the way of writing. */
import { Notice } from "../parts/notice.tsx";
import { state, tell } from "../state/client.ts";
import { t } from "../state/language.ts";
import { go } from "../state/route.ts";

/** `aside`: beside something more important, so in fewer words. */
export function SheetOffer({ aside }: { aside?: boolean }) {
  if (!state.value?.account?.offerSheet) return null;
  if (aside) {
    return (
      <aside class="offer" aria-label={t("app.sheet.title")}>
        <p>{t("app.sheet.offer_short")}</p>
        <p class="buttons">
          <Buttons size="small" />
        </p>
      </aside>
    );
  }
  return (
    <Notice heading={t("app.sheet.offer")}>
      <p>{t("app.sheet.offer_text")}</p>
      <p class="buttons">
        <Buttons size="" />
      </p>
    </Notice>
  );
}

function Buttons({ size }: { size: "" | "small" }) {
  return (
    <>
      <button class={`button ${size}`} type="button" onClick={() => go({ page: "sheet" })}>
        {t("app.sheet.offer_open")}
      </button>
      <button class={`button quiet ${size}`} type="button" onClick={() => tell("sheetDone", { kept: false })}>
        {t("app.sheet.later")}
      </button>
    </>
  );
}
