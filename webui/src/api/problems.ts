/** What can go wrong between here and the node, as values that callers can tell apart. */

/** The node could not be reached, or did not answer in time. Trying again later is right. */
export class Unreachable extends Error {
  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "Unreachable";
  }
}

/** The node answered with a problem document (RFC 9457). */
export class Refused extends Error {
  readonly status: number;
  /** The last part of the document's `type`, or "". */
  readonly kind: string;
  /** Seconds to wait, when the node said so; else 0. */
  readonly retryAfter: number;
  /** The whole document. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, details: Readonly<Record<string, unknown>>, retryAfter: number) {
    super(`${status} ${typeof details.detail === "string" ? details.detail : ""}`.trim());
    this.name = "Refused";
    this.status = status;
    const type = typeof details.type === "string" ? details.type : "";
    this.kind = type === "about:blank" ? "" : (type.split("/").at(-1) ?? "");
    this.retryAfter = retryAfter;
    this.details = details;
  }

  /** Whether the same request may succeed later without anybody changing it. */
  get passing(): boolean {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** Reads the answer to a failed request. */
export async function refusalOf(answer: Response): Promise<Refused> {
  let details: Record<string, unknown> = {};
  try {
    const read: unknown = await answer.json();
    if (read && typeof read === "object" && !Array.isArray(read)) details = read as Record<string, unknown>;
  } catch {
    // An answer from something in between, such as a proxy: the status says it all.
  }
  return new Refused(answer.status, details, pauseIn(answer.headers.get("Retry-After")));
}

/** The same, as the live channel tells it. */
export function refusalIn(frame: Readonly<Record<string, unknown>>): Refused {
  return new Refused(typeof frame.status === "number" ? frame.status : 500, frame, pauseIn(frame.retry_after));
}

function pauseIn(said: unknown): number {
  const seconds = Number(said ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) : 0;
}
