/** The frame of one view: the way back, the heading that takes the focus after a move, the tab's title. */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../state/language.ts";
import { place } from "../state/place.ts";
import { preferences } from "../state/preferences.ts";
import { moves, type Route } from "../state/route.ts";
import { Icon } from "./icon.tsx";
import { Go } from "./link.tsx";

interface Props {
  heading: ComponentChildren;
  /** For the tab. It names the kind of view and never people, groups or words: titles end up in histories. */
  title: string;
  back?: { to: Route; label: string };
  /** Mistakes stand on the page: the title says so first. */
  wrong?: boolean;
  class?: string;
  /** Beside the heading, e.g. a menu of the room. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

export function useTitle(title: string, wrong = false): void {
  const { disguise } = preferences.value;
  useEffect(() => {
    const whole = disguise ? t("app.disguise.title") : `${title} – ${place().community}`;
    document.title = wrong ? `${t("app.form.wrong")} ${whole}` : whole;
  }, [title, wrong, disguise]);
}

/** The first view leaves the focus where it is; every later one takes it to its heading. */
export function useHeadingFocus(): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moves.peek() > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  return heading;
}

export function PageFrame({ heading, title, back, wrong, class: name, beside, children }: Props) {
  useTitle(title, wrong);
  const focus = useHeadingFocus();
  return (
    <main class={`view ${name ?? ""}`} id="main" tabIndex={-1}>
      {back && (
        <p class="back">
          <Go to={back.to}>
            <Icon name="back" />
            {back.label}
          </Go>
        </p>
      )}
      <div class="view-head">
        <h1 ref={focus} tabIndex={-1}>
          {heading}
        </h1>
        {beside}
      </div>
      {children}
    </main>
  );
}
