/** The search itself: pure, so that it runs in a worker and in tests. */
import { contains, haystack, TERMS_MAX, words } from "./fold.ts";
import { type CompactList, DISPUTED, HYBRID, IN_PERSON, type ListEntry, type ListMeeting, ONLINE } from "./list.ts";
import { clockFor, type Happening, happening, type Occurrence, upcoming } from "./upcoming.ts";

export interface Query {
  text: string;
  experience: string;
  part: string;
  weekdays: number[];
  attendance: string;
  language: string;
  access: string[];
  town: string;
  km: number;
  position: [latitude: number, longitude: number] | null;
  limit: number;
}

/** What a card shows, still without words of the page's language. */
export interface Found {
  id: string;
  name: string;
  summary: string;
  experiences: string[];
  languages: string[];
  tags: string[];
  access: string[];
  disputed: boolean;
  attendance: number;
  place: string;
  km: number | null;
  state: Happening;
  next: (Occurrence & { afar: boolean; zone: string }) | null;
  /** Weekly times; days with the same time together. */
  times: { weekdays: number[]; start: number; duration: number; zone: string; afar: boolean }[];
  /** Further times, in words: monthly, once, paused. */
  lines: string[];
  moreTimes: number;
}

export interface Answer {
  total: number;
  rows: Found[];
  unknownTown: boolean;
}

const PARTS: Readonly<Record<string, [from: number, until: number]>> = {
  morning: [300, 720],
  afternoon: [720, 1080],
  evening: [1080, 1440],
  night: [0, 300],
};
const TIMES_SHOWN = 4;
const TAGS_SHOWN = 6;
const EARTH_KM = 6371.0088;

/** Great-circle distance (haversine). */
export function distanceKm(a: readonly [number, number], b: readonly [number, number]): number {
  const radians = Math.PI / 180;
  const dLat = (b[0] - a[0]) * radians;
  const dLon = (b[1] - a[1]) * radians;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a[0] * radians) * Math.cos(b[0] * radians) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

interface Candidate {
  entry: ListEntry;
  next: Occurrence | undefined;
  nextOf: ListMeeting | undefined;
  km: number | null;
  rank: number;
}

/** A list made ready for searching. */
export class Searcher {
  readonly #list: CompactList;
  readonly #hay: string[];
  readonly #names: string[];
  readonly #access: ReadonlySet<number>;

  /** `access`: the tags that say what somebody needs to take part; cards show them apart. */
  constructor(list: CompactList, access: readonly string[]) {
    this.#list = list;
    this.#access = new Set(list.tags.flatMap(([tag], index) => (access.includes(tag) ? [index] : [])));
    this.#names = list.listings.map((entry) => haystack(entry[1]));
    this.#hay = list.listings.map((entry) => this.#textOf(entry));
  }

  #textOf([, name, summary, experiences, languages, , meetings, more]: ListEntry): string {
    const labels = new Set<string>();
    for (const index of experiences) for (const text of this.#list.tags[index] ?? []) labels.add(text);
    for (const index of languages) labels.add(this.#list.langs[index]?.[1] ?? "");
    for (const meeting of meetings) {
      labels.add(this.#list.places[meeting[5]]?.[0] ?? "");
      for (const index of meeting[6]) labels.add(this.#list.tags[index]?.[1] ?? "");
    }
    return haystack(name, summary, more, ...labels);
  }

  /** The place to measure from: the visitor's position, or a listed town. `undefined`: a town nobody listed. */
  centre(query: Query): [number, number] | null | undefined {
    if (query.position) return query.position;
    const wanted = words(query.town).join(" ");
    if (!wanted) return null;
    const towns = this.#list.towns.map((town) => ({ town, key: words(town[0]).join(" ") }));
    const found = towns.find(({ key }) => key === wanted) ?? towns.find(({ key }) => key.startsWith(wanted));
    return found ? [found.town[1], found.town[2]] : undefined;
  }

  search(query: Query, now: number, visitorZone: string): Answer {
    const centre = this.centre(query);
    const terms = words(query.text).slice(0, TERMS_MAX);
    const tag = this.#list.tags.findIndex(([each]) => each === query.experience);
    const language = this.#list.langs.findIndex(([each]) => each === query.language);
    const access = query.access.map((wanted) => this.#list.tags.findIndex(([each]) => each === wanted));
    const found: Candidate[] = [];
    this.#list.listings.forEach((entry, index) => {
      if (terms.length > 0 && !contains(this.#hay[index] ?? "", terms)) return;
      if (query.experience && !entry[3].includes(tag)) return;
      if (query.language && !entry[4].includes(language)) return;
      const candidate = this.#judge(entry, query, access, centre ?? null, now, visitorZone);
      if (!candidate) return;
      candidate.rank = terms.length > 0 && contains(this.#names[index] ?? "", terms) ? 0 : 1;
      found.push(candidate);
    });
    found.sort(query.part === "now" ? byClosenessTo(now) : centre ? byDistance : byRankThenNext);
    const rows = found.slice(0, query.limit).map((candidate) => this.#show(candidate, now));
    return { total: found.length, rows, unknownTown: centre === undefined };
  }

  #judge(
    entry: ListEntry,
    query: Query,
    access: readonly number[],
    centre: [number, number] | null,
    now: number,
    visitorZone: string,
  ): Candidate | null {
    const needsMeeting =
      query.part !== "" || query.weekdays.length > 0 || query.attendance !== "" || access.length > 0 || centre !== null;
    const candidate: Candidate = { entry, next: undefined, nextOf: undefined, km: null, rank: 1 };
    let fits = !needsMeeting;
    for (const meeting of entry[6]) {
      if (!fitsAttendance(meeting[4], query.attendance)) continue;
      if (!access.every((tag) => meeting[6].includes(tag))) continue;
      const km = centre ? this.#kmTo(meeting, centre) : null;
      if (centre && (km === null || km > query.km)) continue;
      const occurrences = upcoming(meeting, this.#list.zones, now, visitorZone);
      const next = occurrences.find((each) => fitsTime(meeting, each, query, now, visitorZone));
      if (!next && (query.part !== "" || query.weekdays.length > 0)) continue;
      fits = true;
      if (km !== null && (candidate.km === null || km < candidate.km)) candidate.km = km;
      if (next && (!candidate.next || next.start < candidate.next.start)) {
        candidate.next = next;
        candidate.nextOf = meeting;
      }
    }
    return fits ? candidate : null;
  }

  #kmTo(meeting: ListMeeting, centre: [number, number]): number | null {
    if (meeting[4] === ONLINE) return null;
    const [, latitude, longitude] = this.#list.places[meeting[5]] ?? ["", null, null];
    return latitude === null || longitude === null ? null : distanceKm(centre, [latitude, longitude]);
  }

  #show({ entry, next, nextOf, km }: Candidate, now: number): Found {
    const [id, name, summary, experiences, languages, flags, meetings, , lines = []] = entry;
    const tags = [...new Set(meetings.flatMap((meeting) => meeting[6]))];
    const label = (index: number): string => this.#list.tags[index]?.[1] ?? "";
    const times = this.#weekly(meetings);
    const kinds = new Set(meetings.map((meeting) => meeting[4]));
    return {
      id,
      name,
      summary,
      experiences: experiences.map(label),
      languages: languages.map((index) => this.#list.langs[index]?.[1] ?? ""),
      tags: tags
        .filter((index) => !this.#access.has(index))
        .slice(0, TAGS_SHOWN)
        .map(label),
      access: tags.filter((index) => this.#access.has(index)).map(label),
      disputed: (flags & DISPUTED) !== 0,
      attendance: together(kinds),
      place: this.#list.places[(nextOf ?? meetings.find((each) => each[5] >= 0))?.[5] ?? -1]?.[0] ?? "",
      km,
      state: happening(next, now),
      next: next && nextOf ? { ...next, afar: isAfar(nextOf), zone: this.#list.zones[nextOf[3]] ?? "" } : null,
      times: times.slice(0, TIMES_SHOWN),
      lines: lines.slice(0, Math.max(0, TIMES_SHOWN - times.length)),
      moreTimes: Math.max(0, times.length + lines.length - TIMES_SHOWN),
    };
  }

  #weekly(meetings: readonly ListMeeting[]): Found["times"] {
    const times = new Map<string, Found["times"][number]>();
    for (const meeting of meetings) {
      const [weekday, start, duration, zone, , , , , hasLine] = meeting;
      if (weekday < 0 || start < 0 || hasLine) continue;
      const key = [start, duration, zone, isAfar(meeting)].join();
      const same = times.get(key);
      if (!same) {
        const named = this.#list.zones[zone] ?? "";
        times.set(key, { weekdays: [weekday], start, duration, zone: named, afar: isAfar(meeting) });
      } else if (!same.weekdays.includes(weekday)) {
        same.weekdays.push(weekday);
      }
    }
    return [...times.values()];
  }
}

function isAfar(meeting: ListMeeting): boolean {
  return meeting[4] === ONLINE || meeting[4] === HYBRID;
}

function together(kinds: ReadonlySet<number>): number {
  if (kinds.has(HYBRID) || (kinds.has(IN_PERSON) && kinds.has(ONLINE))) return HYBRID;
  if (kinds.has(ONLINE)) return ONLINE;
  return kinds.has(IN_PERSON) ? IN_PERSON : 0;
}

function fitsAttendance(attendance: number, wanted: string): boolean {
  if (wanted === "in_person") return attendance === IN_PERSON || attendance === HYBRID;
  if (wanted === "online") return attendance === ONLINE || attendance === HYBRID;
  return true;
}

function fitsTime(meeting: ListMeeting, each: Occurrence, query: Query, now: number, visitorZone: string): boolean {
  if (query.part === "now" && happening(each, now) === "") return false;
  const clock = clockFor(meeting, each, visitorZone, query.attendance === "online");
  if (query.weekdays.length > 0 && !query.weekdays.includes(clock.weekday)) return false;
  const part = PARTS[query.part];
  return !part || (clock.minutes >= part[0] && clock.minutes < part[1]);
}

/** Just begun or about to begin comes first: those are the easiest to join. */
function byClosenessTo(now: number): (a: Candidate, b: Candidate) => number {
  const away = ({ next }: Candidate): number => Math.abs((next?.start ?? Number.MAX_SAFE_INTEGER) - now);
  return (a, b) => away(a) - away(b) || compareNames(a, b);
}

function byRankThenNext(a: Candidate, b: Candidate): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  const difference = (a.next?.start ?? Number.MAX_SAFE_INTEGER) - (b.next?.start ?? Number.MAX_SAFE_INTEGER);
  return difference || compareNames(a, b);
}

function byDistance(a: Candidate, b: Candidate): number {
  return (a.km ?? Number.MAX_SAFE_INTEGER) - (b.km ?? Number.MAX_SAFE_INTEGER) || byRankThenNext(a, b);
}

function compareNames(a: Candidate, b: Candidate): number {
  const [left, right] = [words(a.entry[1]).join(" "), words(b.entry[1]).join(" ")];
  if (left !== right) return left < right ? -1 : 1;
  return a.entry[0] < b.entry[0] ? -1 : 1;
}
