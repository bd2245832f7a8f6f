/** Turns whatever went wrong into the one error that pages know. */
import { Refused, Unreachable } from "../api/problems.ts";
import { StorageFailed } from "../vault/types.ts";
import { Locked, WrongPassphrase } from "../vault/vault.ts";
import type { ClientFailure, ErrorCode } from "./types.ts";

export class Failure extends Error implements ClientFailure {
  override readonly name = "ClientFailure";
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail = "", options?: ErrorOptions) {
    super(detail ? `${code}: ${detail}` : code, options);
    this.code = code;
    this.detail = detail;
  }
}

/** Whether it will pass by itself: the node is away, or the vault was locked meanwhile. */
export function isPassing(problem: unknown): boolean {
  if (problem instanceof Failure) return problem.code === "locked" || problem.code === "offline";
  return problem instanceof Unreachable || problem instanceof Locked || isWaiting(problem);
}

/** Another node has not answered yet: what was asked of it is kept at the own one, and goes on. */
export function isWaiting(problem: unknown): boolean {
  return problem instanceof Refused && problem.kind === "waiting";
}

/** For calls that are as good as done once they are kept. */
export function passWaiting(problem: unknown): void {
  if (!isWaiting(problem)) throw problem;
}

/** For taking away what may be gone already, or is not ours to take. */
export function passGone(problem: unknown): void {
  if (!(problem instanceof Refused) || ![404, 403, 409].includes(problem.status)) throw problem;
}

/** What to tell a page about anything that was thrown. */
export function failureOf(problem: unknown): Failure {
  if (problem instanceof Failure) return problem;
  if (problem instanceof Unreachable) return new Failure("offline", problem.message, { cause: problem });
  if (problem instanceof Refused) return new Failure(refusalCode(problem), problem.message, { cause: problem });
  if (problem instanceof StorageFailed) return new Failure("storage-failed", problem.message, { cause: problem });
  if (problem instanceof WrongPassphrase) return new Failure("wrong-passphrase");
  if (problem instanceof Locked) return new Failure("locked");
  const detail = problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem);
  return new Failure("bug", detail, { cause: problem });
}

function refusalCode(problem: Refused): ErrorCode {
  if (isWaiting(problem)) return "waiting";
  switch (problem.status) {
    case 401:
      return "revoked";
    case 413:
      return "too-large";
    case 404:
    case 410:
      return "unknown";
    case 429:
      return problem.kind === "too-many" ? "quota" : "slow-down";
    case 507:
      return "quota";
    default:
      return problem.status >= 500 ? "offline" : "node-error";
  }
}
