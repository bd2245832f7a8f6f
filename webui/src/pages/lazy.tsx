/** Views that are not needed at first: they come in one piece after the start, and wait there when the network goes. */

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { PageFrame } from "../parts/page.tsx";
import { t } from "../state/language.ts";
import type { Route } from "../state/route.ts";

type More = typeof import("./more.tsx");

const more = signal<More | "failed" | null>(null);
let asked = false;

export function fetchMore(): void {
  if (asked) return;
  asked = true;
  import("./more.tsx").then(
    (module) => {
      more.value = module;
    },
    () => {
      asked = false;
      more.value = "failed";
    },
  );
}

export function Lazy({ route }: { route: Route }): JSX.Element {
  useEffect(fetchMore, []);
  const here = more.value;
  if (here && here !== "failed") return <here.MorePage route={route} />;
  return (
    <PageFrame title={t("app.title")} heading={t("app.title")}>
      {here === "failed" ? (
        <>
          <p>{t("app.error.offline")}</p>
          <button class="button" type="button" onClick={fetchMore}>
            {t("app.again")}
          </button>
        </>
      ) : (
        <p role="status">{t("app.loading")}</p>
      )}
    </PageFrame>
  );
}
