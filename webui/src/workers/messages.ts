/** What the page's side and the worker of the client say to each other, and tabs among themselves. */
import type { CallName, ClientEvent, ErrorCode } from "../client/types.ts";

export interface Poison {
  readonly room: string;
  readonly seq: number;
}

export type ToClientWorker =
  /** First: begin. `poison` is an entry at which the worker before this one hung. */
  { kind: "open"; poison: Poison | null } | { kind: "call"; ticket: number; name: CallName; input: unknown };

export type FromClientWorker =
  | { kind: "opened" }
  /** It could not begin. */
  | { kind: "broken"; code: ErrorCode; detail: string }
  | { kind: "answer"; ticket: number; answer: unknown }
  | { kind: "failure"; ticket: number; code: ErrorCode; detail: string }
  | { kind: "event"; event: ClientEvent }
  /** The engine begins with an entry, or (null) has ended with it. */
  | { kind: "busy"; entry: Poison | null };

/** Between tabs, on one BroadcastChannel. `from` is the asking tab. */
export type BetweenTabs =
  | { kind: "call"; from: string; ticket: number; name: CallName; input: unknown }
  | { kind: "answer"; to: string; ticket: number; answer: unknown }
  | { kind: "failure"; to: string; ticket: number; code: ErrorCode; detail: string }
  | { kind: "event"; event: ClientEvent }
  /** A tab has become the leader: calls under way with the one before are lost. */
  | { kind: "leader" }
  /** A tab closes: what it watched need not be watched for it. */
  | { kind: "bye"; watched: readonly string[] };
