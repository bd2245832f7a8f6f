/** Nothing is here yet: the ways in. */
import { Go } from "../parts/link.tsx";
import { PageFrame } from "../parts/page.tsx";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";

export function StartPage() {
  return (
    <PageFrame title={t("app.start.title")} heading={t("app.start.heading", { community: place().community })}>
      <p class="lead">{t("app.start.lead")}</p>
      <ul class="tasks">
        <li>
          <Go to={{ page: "open-link" }}>{t("app.start.invited")}</Go>
          <p>{t("app.start.invited_text")}</p>
        </li>
        <li>
          <Go to={{ page: "link-new" }}>{t("app.start.device")}</Go>
          <p>{t("app.start.device_text")}</p>
        </li>
        <li>
          <Go to={{ page: "recover" }}>{t("app.start.sheet")}</Go>
          <p>{t("app.start.sheet_text")}</p>
        </li>
        <li>
          <Go to={{ page: "return" }}>{t("app.start.return")}</Go>
          <p>{t("app.start.return_text")}</p>
        </li>
      </ul>
      <h2>{t("app.start.what")}</h2>
      <ul>
        <li>{t("app.start.what_1")}</li>
        <li>{t("app.start.what_2")}</li>
        <li>{t("app.start.what_3")}</li>
      </ul>
      <p>
        <a href={place().home}>{t("app.start.groups")}</a>
      </p>
    </PageFrame>
  );
}
