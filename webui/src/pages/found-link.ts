/** The invitation's address somewhere in what was pasted; null when there is none. */
export function findLink(text: string): string | null {
  return /\S+\/join\/?#[\w-]{8,}(?:\.[\w-]{43})?/.exec(text)?.[0].replace(/^[<("']+/, "") ?? null;
}
