/** A link to another view of the app. A click moves within this page; opened in another tab it starts the app there. */
import type { ComponentChildren } from "preact";
import { place } from "../state/place.ts";
import { go, type Route, toHash } from "../state/route.ts";

interface Props {
  to: Route;
  class?: string;
  current?: boolean;
  children: ComponentChildren;
}

export function Go({ to, class: name, current, children }: Props) {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a class={name} href={place().app + toHash(to)} aria-current={current ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
