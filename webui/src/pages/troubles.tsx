/** What went wrong lately, in plain words, and what a person can do. */
import { Notice } from "../parts/notice.tsx";
import { state } from "../state/client.ts";
import { t } from "../state/language.ts";
import { summaryName } from "../state/names.ts";
import { place } from "../state/place.ts";

export function Troubles() {
  const now = state.value;
  if (!now) return null;
  const shown = new Map(now.trouble.map((trouble) => [`${trouble.code} ${trouble.room ?? ""}`, trouble]));
  return (
    <>
      {now.account?.revoked && (
        <Notice kind="warn" heading={t("app.revoked.title")}>
          <p>{t("app.revoked.text")}</p>
        </Notice>
      )}
      {now.outbox.failed > 0 && (
        <Notice kind="warn">
          <p>{t("app.home.failed", { count: now.outbox.failed })}</p>
        </Notice>
      )}
      {[...shown.values()].map(({ code, room }) => {
        const found = now.rooms.find((each) => each.room === room);
        return (
          <Notice kind="warn" key={`${code} ${room}`}>
            {found && (
              <p>
                <strong dir="auto">{summaryName(found)}</strong>
              </p>
            )}
            <p>{t(`app.trouble.${code}`)}</p>
          </Notice>
        );
      })}
    </>
  );
}

/** Said below everything else: some browsers throw away by themselves what nobody looked at for a while. */
export function Forgetful() {
  const now = state.value;
  if (!now || now.vault.lasting || now.account?.sheetKept || now.rooms.length === 0) return null;
  return <p class="hint">{t("app.home.forgets", { community: place().community })}</p>;
}
