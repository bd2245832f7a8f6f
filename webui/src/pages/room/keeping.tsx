/** What members should know, in the conversation itself, of the community that keeps it; and the way to do something. */
import { useEffect, useState } from "preact/hooks";
import type { RoomView } from "../../client/types.ts";
import { Go } from "../../parts/link.tsx";
import { Notice } from "../../parts/notice.tsx";
import { call } from "../../state/client.ts";
import { t } from "../../state/language.ts";

export function Keeping({ view: { room, far, moving, timeline } }: { view: RoomView }) {
  const [away, setAway] = useState(false);
  const waits = far && timeline.some((each) => each.kind === "message" && each.status === "waiting");
  // Asked only while something waits: whoever just reads asks nobody anything.
  useEffect(() => {
    setAway(false);
    if (waits)
      call("places", { room }).then(
        (places) => setAway(places.away),
        () => {},
      );
  }, [room, waits]);
  if (!moving && !away) return null;
  return (
    <Notice kind={moving ? "info" : "warn"}>
      <p>{t(moving ? "app.move.asked" : "app.about.away")}</p>
      <p>
        <Go to={{ page: "about", room, at: "where" }}>{t("app.about.where")}</Go>
      </p>
    </Notice>
  );
}
