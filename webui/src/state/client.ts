/** The one client of this page: what is always on screen, and how to ask for things. */
import { computed, signal } from "@preact/signals";
import type { CallName, Calls, Client, ClientEvent, ClientFailure, ErrorCode, State } from "../client/types.ts";
import { t } from "./language.ts";
import { place } from "./place.ts";

/** Null until the client has answered for the first time. */
export const state = signal<State | null>(null);
/** Why the app could not start at all. */
export const broken = signal<ErrorCode | null>(null);

/** The browser knows that there is no network. (When it says that there is one, it may be wrong.) */
const cut = signal(!navigator.onLine);
/** Nothing goes out at the moment: what is written waits. */
export const offline = computed(() => cut.value || state.value?.connection === "offline");

let client: Client | null = null;
const listeners = new Set<(event: ClientEvent) => void>();

/** Connects and asks for the state. Never rejects: `broken` says what is wrong. */
export async function start(made: Client): Promise<void> {
  client = made;
  const look = (): void => {
    cut.value = !navigator.onLine;
  };
  addEventListener("online", look);
  addEventListener("offline", look);
  made.listen((event) => {
    if (event.kind === "state") state.value = event.state;
    for (const listener of listeners) listener(event);
  });
  try {
    state.value = await made.call("start", { node: place().node });
    broken.value = null;
  } catch (error) {
    broken.value = codeOf(error);
  }
}

export function call<Name extends CallName>(name: Name, input: Calls[Name]["input"]): Promise<Calls[Name]["answer"]> {
  return client ? client.call(name, input) : Promise.reject(new Error("there is no client yet"));
}

/** The same without waiting, for things whose failure the state will show by itself (drafts, marks of reading). */
export function tell<Name extends CallName>(name: Name, input: Calls[Name]["input"]): void {
  call(name, input).catch(() => undefined);
}

/** Returns a function that stops listening. */
export function listen(listener: (event: ClientEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function codeOf(error: unknown): ErrorCode {
  const found = error as Partial<ClientFailure> | null;
  return found?.name === "ClientFailure" && found.code ? found.code : "bug";
}

/** What to tell a person about a call that failed. */
export function sentenceFor(error: unknown): string {
  return t(`app.error.${codeOf(error)}`);
}
