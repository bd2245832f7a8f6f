/** Why the app does not start here, and what to do about it. */
import type { ErrorCode } from "../client/types.ts";
import { PageFrame } from "../parts/page.tsx";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";

/** Plain http: whoever sits between could change the program on its way, so it makes no keys here. */
export function InsecurePage() {
  return (
    <PageFrame title={t("app.insecure.title")} heading={t("app.insecure.title")}>
      <p class="lead">{t("app.insecure.lead")}</p>
      <p>{t("app.insecure.why")}</p>
      <p>
        <a class="button" href={place().safe}>
          {t("app.insecure.how")}
        </a>
      </p>
      <h2>{t("app.insecure.still")}</h2>
      <ul>
        <li>
          <a href={place().home}>{t("app.start.groups")}</a>
        </li>
        <li>
          <a href={place().help}>{t("app.help")}</a>
        </li>
      </ul>
    </PageFrame>
  );
}

export function BrokenPage({ code }: { code: ErrorCode }) {
  return (
    <PageFrame title={t("app.title")} heading={t("app.broken.title")}>
      <p>{t(`app.error.${code}`)}</p>
      <p class="buttons">
        <button class="button" type="button" onClick={() => location.reload()}>
          {t("app.again")}
        </button>
      </p>
      <p>{t("app.broken.text")}</p>
    </PageFrame>
  );
}
