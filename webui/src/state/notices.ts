/** Quiet lines between messages: what happened in a room, in a sentence. */
import type { NoticeItem } from "../client/types.ts";
import { listed, t } from "./language.ts";
import { orSomebody } from "./names.ts";

/** What a refused change would have done, by the judge's short code (rooms/types.ts); the rest broke another rule. */
const REASONS: Readonly<Record<string, "approvals" | "removal" | "outsider" | "identity" | "pair" | "device">> = {
  approvals: "approvals",
  removal: "removal",
  "not-member": "outsider",
  external: "outsider",
  credential: "identity",
  certificate: "identity",
  "leaf-changed": "identity",
  "pair-full": "pair",
  "leaf-twice": "device",
  "leaf-revoked": "device",
  "too-many-devices": "device",
};

export function noticeText({ code, names, by, reason }: NoticeItem): string {
  const [first = "", second = ""] = names;
  const who = listed(names.map(orSomebody));
  const doer = listed(by.map(orSomebody));
  switch (code) {
    case "founded":
      return by.length + names.length > 0 ? t("app.notice.founded", { name: doer || who }) : t("app.notice.began");
    case "joined":
      if (by.length === 0) return t("app.notice.joined", { names: who });
      return t("app.notice.joined_by", { names: who, by: doer, count: by.length });
    case "device-added":
      return t("app.notice.device_added", { names: who });
    case "device-removed":
      return t("app.notice.device_removed", { names: who });
    case "left":
      return t("app.notice.left", { names: who });
    case "removed":
      return t("app.notice.removed", { names: who });
    case "renamed":
      return t("app.notice.renamed", { old: orSomebody(first), name: orSomebody(second) });
    case "title":
      return t("app.notice.title", { name: doer || t("app.somebody"), title: first });
    case "intake-opened":
      return t("app.notice.intake_opened", { name: doer || t("app.somebody") });
    case "intake-changed":
      return t("app.notice.intake_changed", { name: doer || t("app.somebody") });
    case "intake-closed":
      return t("app.notice.intake_closed", { name: doer || t("app.somebody") });
    case "moved":
      return t("app.notice.moved");
    case "skipped": {
      const tried = by.length > 0 ? t("app.notice.skipped_by", { name: doer }) : t("app.notice.skipped");
      return `${tried} ${t(`app.notice.reason.${REASONS[reason] ?? "other"}`)}`;
    }
  }
}
