/** One drawing of `public/icons.svg`; always beside words, so it is hidden from screen readers. */
import { place } from "../state/place.ts";

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" aria-hidden="true" focusable="false" width="20" height="20">
      <use href={`${place().icons}#${name}`} />
    </svg>
  );
}
