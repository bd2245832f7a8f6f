/** Says that the program has changed, from which to which, and lets a person decide. */
import type { Bundle } from "../offline.ts";
import { t } from "../state/language.ts";
import { programChange, programDiffers } from "../state/program.ts";
import { Notice } from "./notice.tsx";

export function ProgramNotice() {
  const change = programChange.value;
  const differs = programDiffers.value;
  const later = (): void => {
    programChange.value = null;
  };
  if (!change && differs === 0) return null;
  return (
    <div class="wrap program">
      {change?.kind === "foreign-page" && (
        <Notice kind="warn">
          <p>{t("secure.update.foreign")}</p>
          <Later press={later} />
        </Notice>
      )}
      {(change?.kind === "new-version" || change?.kind === "changed") && (
        <Notice kind={change.from.version === change.to.version ? "warn" : "info"}>
          <p>{t(change.kind === "changed" ? "secure.update.changed" : "secure.update.new")}</p>
          {change.from.version === change.to.version && <p>{t("secure.update.same_version")}</p>}
          <dl class="facts">
            <Which name={t("secure.update.from")} bundle={change.from} />
            <Which name={t("secure.update.to")} bundle={change.to} />
          </dl>
          <p class="buttons">
            {change.kind === "new-version" && (
              <button class="button" type="button" onClick={change.use}>
                {t("secure.update.use")}
              </button>
            )}
            <Later press={later} />
          </p>
        </Notice>
      )}
      {differs > 0 && (
        <Notice kind="warn">
          <p>{t("secure.differs", { count: differs })}</p>
        </Notice>
      )}
    </div>
  );
}

/** The first sixteen letters are what the page About shows first, and what other sites are compared by. */
function Which({ name, bundle }: { name: string; bundle: Bundle }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <bdi dir="ltr">
          {bundle.version} <code>{bundle.bundle.slice(0, 16)}</code>
        </bdi>
      </dd>
    </div>
  );
}

function Later({ press }: { press: () => void }) {
  return (
    <button class="button quiet" type="button" onClick={press}>
      {t("secure.update.later")}
    </button>
  );
}
