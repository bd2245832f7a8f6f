/**
 * The fold: what people see of a room, from its events and adopted commits in log order. Pure; its time is the log's.
 * Who said something is always the member whose leaf MLS names. Nothing in here decides about commits: that is the
 * judge's, from the policy and the proofs.
 */
import { ASK_SECONDS, OPEN_MAX, OPEN_OF_MEMBER_MAX } from "./bounds.ts";
import { afterCommit, foldIntake, mergeIntake, settled } from "./intake.ts";
import { approvalCounts, voteCounts } from "./judge.ts";
import { memberOf, present } from "./policy.ts";
import * as statements from "./statements.ts";
import type { B64, Change, Event, OpenAsk, Policy, Primitives, Profile, View } from "./types.ts";

export type Context = {
  readonly primitives: Primitives;
  readonly room: B64;
  readonly policy: Policy;
  readonly seq: number;
  readonly time: number;
  readonly by: B64;
};
export type Folded = { readonly view: View; readonly changes: readonly Change[] };

export function emptyView(profile: Profile): View {
  const none = { asks: [], votes: [], leaves: [], revocations: [], invitations: [] };
  return { title: "", titled: 0, profiles: { [profile.by]: profile }, ...none };
}

/** One event. Those without effect (unproven, repeated, too many) leave the view as it is and change nothing. */
export async function foldEvent(context: Context, view: View, event: Event): Promise<Folded> {
  const { seq, time, by } = context;
  const at = { seq, time, by };
  switch (event.type) {
    case "message": {
      const { id, text, reply_to, attachments } = event;
      const reply = reply_to === undefined ? {} : { replyTo: reply_to };
      return { view, changes: [{ type: "message", ...at, id, text, ...reply, attachments: attachments ?? [] }] };
    }
    case "edit":
      return { view, changes: [{ type: "edit", ...at, id: event.id, text: event.text }] };
    case "delete":
      return { view, changes: [{ type: "delete", ...at, id: event.id }] };
    case "title": {
      const changed = { ...view, title: event.text, titled: seq };
      return { view: changed, changes: [{ type: "title", ...at, text: event.text, before: view.title }] };
    }
    case "profile":
      return foldProfile(context, view, event);
    case "ask":
      return foldAsk(context, view, event);
    case "approval":
      return foldApproval(context, view, event);
    case "removal-vote":
    case "leave":
    case "revocation":
      return foldStatement(context, view, event);
    case "invitation":
      return foldInvitation(context, view, event);
    case "intake":
      return foldIntake(at, view, event);
    case "snapshot":
      return { view: await mergeView(context, view, event.view), changes: [] };
    case "unknown":
      return { view, changes: [{ type: "unknown", ...at, name: event.name, value: event.value }] };
  }
}

type Of<T extends Event["type"]> = Extract<Event, { type: T }>;

async function foldProfile(context: Context, view: View, event: Of<"profile">): Promise<Folded> {
  const { primitives, room, seq, time, by } = context;
  const { version, name, signature } = event;
  const old = view.profiles[by];
  const profile = { by, version, name, signature };
  if (old !== undefined && old.version >= version) return { view, changes: [] };
  if (!(await statements.profileHolds(primitives, room, profile))) return { view, changes: [] };
  const changed = { ...view, profiles: { ...view.profiles, [by]: profile } };
  const before = old?.name ?? "";
  if (before === name) return { view: changed, changes: [] };
  return { view: changed, changes: [{ type: "profile", seq, time, by, name, before }] };
}

async function foldAsk(context: Context, view: View, { ask, listing }: Of<"ask">): Promise<Folded> {
  const { primitives, room, policy, seq, time, by } = context;
  const others = view.asks.filter((each) => each.ask.identity !== ask.identity);
  const known = view.asks.some((each) => each.ask.id === ask.id);
  const full = others.length >= OPEN_MAX || others.filter((each) => each.by === by).length >= OPEN_OF_MEMBER_MAX;
  if (known || full || memberOf(policy, ask.identity) !== undefined) return { view, changes: [] };
  if (!(await statements.profileHolds(primitives, room, ask.profile))) return { view, changes: [] };
  // A newcomer who asks again (with a new KeyPackage) starts again: approvals are for one ask.
  const asks = [...others, { ask, by, time, approvals: [], ...(listing === undefined ? {} : { listing }) }];
  return { view: { ...view, asks }, changes: [{ type: "ask", seq, time, by, ask }] };
}

async function foldApproval(context: Context, view: View, event: Of<"approval">): Promise<Folded> {
  const { primitives, room, policy, seq, time, by } = context;
  const { type: _, ...said } = event;
  const approval = { by, ...said };
  const open = view.asks.find(({ ask }) => ask.id === event.ask && ask.identity === event.identity);
  if (open === undefined || !approvalCounts(policy, approval, time)) return { view, changes: [] };
  if (!(await statements.approvalHolds(primitives, room, approval))) return { view, changes: [] };
  const repeated = open.approvals.some((each) => each.by === by);
  const approvals = [...open.approvals.filter((each) => each.by !== by), approval];
  const asks = view.asks.map((each) => (each === open ? { ...open, approvals } : each));
  const { identity, ask } = event;
  return {
    view: { ...view, asks },
    changes: repeated ? [] : [{ type: "approval", seq, time, by, identity, ask }],
  };
}

async function foldStatement(
  context: Context,
  view: View,
  event: Of<"removal-vote"> | Of<"leave"> | Of<"revocation">,
): Promise<Folded> {
  const { primitives, room, policy, seq, time, by } = context;
  const at = { seq, time, by };
  const nothing = { view, changes: [] };
  switch (event.type) {
    case "removal-vote": {
      const vote = { by, identity: event.identity, expires: event.expires, signature: event.signature };
      if (!voteCounts(policy, vote, time)) return nothing;
      if (!(await statements.removalHolds(primitives, room, vote))) return nothing;
      const same = (each: { by: B64; identity: B64 }): boolean => each.by === by && each.identity === event.identity;
      const votes = [...view.votes.filter((each) => !same(each)), vote];
      const repeated = view.votes.some(same);
      const changes: Change[] = repeated ? [] : [{ type: "removal-vote", ...at, identity: event.identity }];
      return { view: { ...view, votes }, changes };
    }
    case "leave": {
      const leave = { by, time: event.time, signature: event.signature };
      if (view.leaves.some((each) => each.by === by)) return nothing;
      if (!(await statements.leaveHolds(primitives, room, leave))) return nothing;
      return { view: { ...view, leaves: [...view.leaves, leave] }, changes: [{ type: "leave", ...at }] };
    }
    case "revocation": {
      const revocation = { by, leaf: event.leaf, signature: event.signature };
      const theirs = memberOf(policy, by)?.leaves.some(({ key }) => key === event.leaf) ?? false;
      if (!theirs || view.revocations.some((each) => each.leaf === event.leaf)) return nothing;
      if (!(await statements.revocationHolds(primitives, room, revocation))) return nothing;
      const revocations = [...view.revocations, revocation];
      return { view: { ...view, revocations }, changes: [{ type: "revocation", ...at, leaf: event.leaf }] };
    }
  }
}

function foldInvitation(context: Context, view: View, { id, expires }: Of<"invitation">): Folded {
  const { seq, time, by } = context;
  const full = view.invitations.length >= OPEN_MAX;
  const many = view.invitations.filter((each) => each.by === by).length >= OPEN_OF_MEMBER_MAX;
  if (full || many || expires <= time || view.invitations.some((each) => each.id === id)) return { view, changes: [] };
  const invitations = [...view.invitations, { id, by, expires }];
  return { view: { ...view, invitations }, changes: [{ type: "invitation", seq, time, by, id, expires }] };
}

/**
 * What somebody else sees may fill gaps of what this device sees, never replace it: newer names that their owners
 * signed, a newer title, and asks with approvals that hold.
 */
async function mergeView(context: Context, view: View, theirs: View): Promise<View> {
  const { primitives, room, policy, time } = context;
  const profiles = { ...view.profiles };
  for (const profile of Object.values(theirs.profiles)) {
    const old = profiles[profile.by];
    if (memberOf(policy, profile.by) === undefined || (old !== undefined && old.version >= profile.version)) continue;
    if (await statements.profileHolds(primitives, room, profile)) profiles[profile.by] = profile;
  }
  const newer = theirs.titled > view.titled && theirs.titled <= context.seq;
  const title = newer ? { title: theirs.title, titled: theirs.titled } : { title: view.title, titled: view.titled };
  let merged: View = withIntake({ ...view, profiles, ...title }, mergeIntake(view.intake, theirs.intake, context.seq));
  for (const { ask, approvals, listing } of theirs.asks) {
    const shown = { type: "ask", ask, ...(listing === undefined ? {} : { listing }) } as const;
    merged = (await foldAsk(context, merged, shown)).view;
    for (const { by, ...approval } of approvals) {
      if (memberOf(policy, by) === undefined) continue;
      merged = (await foldApproval({ ...context, by }, merged, { type: "approval", ...approval })).view;
    }
  }
  return settle(merged, policy, time);
}

/** Takes from the table what time or the policy has settled. */
export function settle(view: View, policy: Policy, time: number): View {
  const here = new Set(present(policy).map(({ identity }) => identity));
  const keys = new Set(policy.members.flatMap(({ leaves }) => leaves.map(({ key }) => key)));
  const since = (identity: B64): number => memberOf(policy, identity)?.since ?? 0;
  const asks = view.asks
    .filter((each) => memberOf(policy, each.ask.identity) === undefined && each.time + ASK_SECONDS > time)
    .map((each) => ({ ...each, approvals: approvalsNow(each, policy, time) }));
  const profiles = Object.entries(view.profiles).filter(([identity]) => memberOf(policy, identity) !== undefined);
  return {
    ...view,
    profiles: Object.fromEntries(profiles),
    asks,
    votes: view.votes.filter((each) => voteCounts(policy, each, time)),
    leaves: view.leaves.filter((each) => here.has(each.by) && each.time > since(each.by)),
    revocations: view.revocations.filter((each) => keys.has(each.leaf)),
    invitations: view.invitations.filter((each) => here.has(each.by) && each.expires > time),
    ...(view.intake === undefined ? {} : { intake: settled(view.intake, time) }),
  };
}

function withIntake(view: View, intake: View["intake"]): View {
  return intake === undefined ? view : { ...view, intake };
}

/** The view after a commit (in which somebody `departed`): newcomers bring the name from their ask. */
export function foldCommit(view: View, policy: Policy, time: number, departed: boolean): View {
  const profiles = { ...view.profiles };
  for (const { ask } of view.asks) {
    if (memberOf(policy, ask.identity) !== undefined) profiles[ask.identity] ??= ask.profile;
  }
  return settle(withIntake({ ...view, profiles }, afterCommit(view.intake, departed)), policy, time);
}

/** Approvals of an ask that would count in a commit made now. */
export function approvalsNow(open: OpenAsk, policy: Policy, time: number): OpenAsk["approvals"] {
  return open.approvals.filter((each) => approvalCounts(policy, each, time));
}
