/** A moment, as a person says it; the exact one is in the element. */
import { clock } from "../state/clock.ts";
import { clockTime, dayWords, fullWhen, shortWhen } from "../state/time-words.ts";

interface Props {
  at: number;
  style: "clock" | "day" | "short" | "full";
}

const WORDS = { clock: clockTime, day: dayWords, short: shortWhen, full: fullWhen };

export function Time({ at, style }: Props) {
  return <time dateTime={new Date(at * 1000).toISOString()}>{WORDS[style](clock(), at)}</time>;
}
