/** Where a conversation is kept, and moving it to another community, which more than half of its people have to want. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { MoveChoice, MoveView, PlacesView, RoomView } from "../client/types.ts";
import { ActionButton, useAction, Wrong } from "../parts/action.tsx";
import { CopyLink } from "../parts/copy.tsx";
import { Notice } from "../parts/notice.tsx";
import { call } from "../state/client.ts";
import { listed, t } from "../state/language.ts";
import { moves, route } from "../state/route.ts";

/** Nothing is shown while that can't be asked. */
export function RoomPlaces({ view }: { view: RoomView }) {
  const { room } = view;
  const [places, show] = useState<PlacesView | null>(null);
  // Asked again whenever something in the room has changed: others' agreement changes it, too.
  useEffect(() => {
    call("places", { room }).then(show, () => {});
  }, [room, view]);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = places !== null;
  // Whoever came for this part is led to it, unless they have gone on by themselves.
  useEffect(() => {
    const { page, at } = route.peek() as { page: string; at?: string };
    const still = document.activeElement === document.body || document.activeElement?.tagName === "H1";
    if (shown && still && page === "about" && at === "where" && moves.peek() > 0) heading.current?.focus();
  }, [shown]);
  if (!places) return null;
  const { here, community, words, others, proof, away } = places;
  const far = community ? t("app.about.where_far", { community }) : t("app.about.where_unnamed", { words });
  return (
    <>
      <h2 ref={heading} tabIndex={-1}>
        {t("app.about.where")}
      </h2>
      {proof && (
        <Notice kind="warn">
          <p>{t("app.about.forked")}</p>
          <CopyLink name="proof" label={t("app.about.proof")} text={proof} />
        </Notice>
      )}
      <p dir="auto">{here ? t("app.about.where_here", { community }) : far}</p>
      {away && (
        <Notice kind="warn">
          <p>{t("app.about.away")}</p>
        </Notice>
      )}
      {others > 0 && <p>{t("app.about.where_others")}</p>}
      <Move view={view} places={places} />
    </>
  );
}

function Move({ view: { room }, places: { choices, moves } }: { view: RoomView; places: PlacesView }) {
  const action = useAction();
  const open = choices.filter(({ node }) => !moves.some((each) => each.node === node));
  if (choices.length === 0) return null;
  const agree = (node: string) => action.run(() => call("moveRoom", { room, node }));
  return (
    <>
      {moves.map((move) => (
        <Wish key={move.node} move={move} action={action} onAgree={() => agree(move.node)} />
      ))}
      {open.length > 0 && !moves.some(({ decided }) => decided) && (
        <details name="move">
          <summary>{t("app.move.title")}</summary>
          <p>{t("app.move.lead")}</p>
          {open.map((choice) => (
            <p key={choice.node}>
              <ActionButton action={action} class="quiet" onPress={() => agree(choice.node)}>
                {t("app.move.to", { place: placeOf(choice) })}
              </ActionButton>
            </p>
          ))}
        </details>
      )}
      <Wrong action={action} />
    </>
  );
}

interface WishProps {
  move: MoveView;
  action: ReturnType<typeof useAction>;
  onAgree: () => void;
}

function Wish({ move, action, onAgree }: WishProps) {
  const { names, needed, mine, decided } = move;
  const people = listed(names.map((name) => name || t("app.somebody")));
  return (
    <Notice kind="info">
      <p dir="auto">{t("app.move.wish", { place: placeOf(move), names: people, count: names.length, needed })}</p>
      {decided && <p>{t("app.move.doing")}</p>}
      {mine && !decided && <p>{t("app.move.agreed")}</p>}
      {!mine && !decided && (
        <p>
          <ActionButton action={action} onPress={onAgree}>
            {t("app.move.agree")}
          </ActionButton>
        </p>
      )}
    </Notice>
  );
}

function placeOf({ here, community, words }: MoveChoice): string {
  if (here) return t("app.move.own", { community });
  return community || t("app.move.unnamed", { words });
}
