/** The compact list a node serves at `/directory/list.json`: arrays with indexes into shared tables. */

/** A date of the next weeks: alone, or with another start when that one was moved. */
export type ListDate = string | [date: string, start: number];

export type ListMeeting = [
  weekday: number,
  start: number,
  duration: number,
  zone: number,
  attendance: number,
  place: number,
  tags: number[],
  dates: 0 | ListDate[],
  /** Present when a line of the listing says when it is held. */
  hasLine?: 1,
];

export type ListEntry = [
  id: string,
  name: string,
  summary: string,
  experiences: number[],
  languages: number[],
  flags: number,
  meetings: ListMeeting[],
  more: string,
  /** When the meetings are held that are not simply weekly: ready words. */
  lines?: string[],
];

export interface CompactList {
  v: 1;
  made: number;
  tags: [tag: string, label: string][];
  langs: [code: string, label: string][];
  zones: string[];
  places: [text: string, latitude: number | null, longitude: number | null][];
  towns: [name: string, latitude: number, longitude: number, listings: number][];
  listings: ListEntry[];
}

export interface RegionIndex {
  v: 1;
  made: number;
  regions: [key: string, label: string, listings: number][];
}

export const IN_PERSON = 1;
export const ONLINE = 2;
export const HYBRID = 3;
export const DISPUTED = 1;

/** Whether what came is a list or an index of regions; anything else is refused. */
export function readList(value: unknown): CompactList | RegionIndex {
  if (typeof value === "object" && value !== null && "v" in value && value.v === 1) {
    if ("regions" in value && Array.isArray(value.regions)) return value as RegionIndex;
    if ("listings" in value && Array.isArray(value.listings)) return value as CompactList;
  }
  throw new Error("not a list of this version");
}
