/** Reads the search form into a query. */
import type { Query } from "./search.ts";

const FARTHEST_KM = 25;

export function readForm(form: HTMLFormElement, position: [number, number] | null, limit: number): Query {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? "").trim();
  return {
    text: text("q"),
    experience: text("experience"),
    part: text("part"),
    weekdays: data.getAll("weekday").map(Number),
    attendance: text("attendance"),
    language: text("language"),
    access: data.getAll("access").map(String),
    town: text("town"),
    km: Number(text("km")) || FARTHEST_KM,
    position,
    limit,
  };
}

/** Whether anything at all is asked for. */
export function isEmpty(query: Query): boolean {
  return (
    !query.text &&
    !query.experience &&
    !query.part &&
    query.weekdays.length === 0 &&
    !query.attendance &&
    !query.language &&
    query.access.length === 0 &&
    !query.town &&
    !query.position
  );
}

/** Whether somebody filled in anything since the server wrote the form: on a slow line, before this program was there. */
export function isTouched(form: HTMLFormElement): boolean {
  const asServed = form.cloneNode(true) as HTMLFormElement;
  asServed.reset();
  const content = (each: HTMLFormElement): string => JSON.stringify([...new FormData(each)]);
  return content(form) !== content(asServed);
}
