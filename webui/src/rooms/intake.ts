/**
 * The intake of a room: a key that its listing shows to everybody, and whose secret half all members hold, so that each
 * of them can open what strangers ask by it. Any member may open, renew or close it; the newest word counts.
 */
import { INTAKE_SECONDS_MAX } from "./bounds.ts";
import * as shapes from "./shapes.ts";
import type { B64, Change, Event, Intake, IntakeEvent, View } from "./types.ts";

const { record, optional, whole, time } = shapes;
const flag: shapes.Reader<boolean> = (value) => (typeof value === "boolean" ? value : undefined);
const key = shapes.b64(32);

const fieldsOfEvent = record<IntakeEvent>({
  node: shapes.identity,
  key,
  secret: optional(key),
  open: flag,
  expires: time,
});
/** Open with the secret, or closed without: what is over, nobody has to keep. */
export const readIntakeEvent: shapes.Reader<IntakeEvent> = (value) => {
  const read = fieldsOfEvent(value);
  return read !== undefined && read.open === (read.secret !== undefined) ? read : undefined;
};

const fieldsOfIntake = record<Intake>({
  node: shapes.identity,
  key,
  secret: optional(key),
  open: flag,
  expires: time,
  seq: whole(),
  time,
  stale: flag,
});
export const readIntake: shapes.Reader<Intake> = (value) => {
  const read = fieldsOfIntake(value);
  return read !== undefined && read.open === (read.secret !== undefined) ? read : undefined;
};

type At = { readonly seq: number; readonly time: number; readonly by: B64 };

export function foldIntake(at: At, view: View, event: Extract<Event, { type: "intake" }>) {
  const { seq, time: now, by } = at;
  const { type: _, ...said } = event;
  const same = { view, changes: [] as readonly Change[] };
  if (event.open && (event.expires <= now || event.expires > now + INTAKE_SECONDS_MAX)) return same;
  const before = view.intake?.open ? view.intake.key : "";
  // Renewed under the same key it stays as stale as it was: who left still has its secret.
  const stale = event.open && event.key === before && view.intake?.stale === true;
  const changed: View = { ...view, intake: { ...said, seq, time: now, stale } };
  const after = event.open ? event.key : "";
  const changes: Change[] = before === after ? [] : [{ type: "intake", seq, time: now, by, open: event.open, before }];
  return { view: changed, changes: changes as readonly Change[] };
}

/** What another member's view adds: only something newer. */
export function mergeIntake(mine: Intake | undefined, theirs: Intake | undefined, seq: number): Intake | undefined {
  return theirs !== undefined && theirs.seq > (mine?.seq ?? 0) && theirs.seq <= seq ? theirs : mine;
}

/** What time has settled: one that ran out is closed, and its secret forgotten. */
export function settled(intake: Intake, time: number): Intake {
  if (!intake.open || intake.expires > time) return intake;
  const { secret: _, ...rest } = intake;
  return { ...rest, open: false, stale: false };
}

/** After a commit: somebody who went knows the secret, so the key should be changed. */
export function afterCommit(intake: Intake | undefined, departed: boolean): Intake | undefined {
  return intake?.open && departed ? { ...intake, stale: true } : intake;
}
