/** What the page and the search worker say to each other. */
import type { Answer, Query } from "./search.ts";

export type ToWorker =
  | { kind: "load"; address: string; access: string[] }
  | { kind: "search"; ticket: number; query: Query; now: number; zone: string };

export type FromWorker =
  | { kind: "ready" }
  | { kind: "regions"; regions: [key: string, label: string, listings: number][] }
  | { kind: "failed" }
  | { kind: "answer"; ticket: number; answer: Answer };
