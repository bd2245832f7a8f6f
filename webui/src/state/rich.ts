/**
 * What people write, as a small tree: paragraphs, quotes, lists, code; bold, italic, code and web addresses within.
 * Pure. The tree is drawn as elements, never as HTML, and every character that was written is shown.
 */

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "strong" | "em"; readonly inside: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly href: string; readonly text: string };

export type Block =
  | { readonly kind: "paragraph"; readonly lines: readonly (readonly Inline[])[] }
  | { readonly kind: "quote"; readonly inside: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | null; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: "code"; readonly text: string };

const QUOTE = /^>\s?(.*)$/;
const BULLET = /^\s{0,3}[-*•]\s+(.*)$/;
const NUMBER = /^\s{0,3}(\d{1,4})[.)]\s+(.*)$/;
const FENCE = /^```/;
/** Quotes in quotes are drawn no deeper than this; the signs beyond stay as text. */
const DEPTH_MAX = 3;

export function parseRich(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] as string;
    if (!line.trim()) {
      at += 1;
    } else {
      const taken = FENCE.test(line)
        ? takeCode(lines, at)
        : depth < DEPTH_MAX && QUOTE.test(line)
          ? takeQuote(lines, at, depth)
          : isItem(line)
            ? takeList(lines, at)
            : takeParagraph(lines, at, depth);
      blocks.push(taken.block);
      at = taken.next;
    }
  }
  return blocks;
}

interface Taken {
  readonly block: Block;
  readonly next: number;
}

function isItem(line: string): boolean {
  return BULLET.test(line) || NUMBER.test(line);
}

function takeCode(lines: readonly string[], at: number): Taken {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end] as string)) end += 1;
  const closed = end < lines.length;
  // A fence that nobody closed is no fence: its signs stay in sight.
  const inside = lines.slice(closed ? at + 1 : at, end);
  return { block: { kind: "code", text: inside.join("\n") }, next: end + 1 };
}

function takeQuote(lines: readonly string[], at: number, depth: number): Taken {
  const inside: string[] = [];
  let next = at;
  for (let found = QUOTE.exec(lines[next] ?? ""); found; found = QUOTE.exec(lines[next] ?? "")) {
    inside.push(found[1] ?? "");
    next += 1;
  }
  return { block: { kind: "quote", inside: parseRich(inside.join("\n"), depth + 1) }, next };
}

function takeList(lines: readonly string[], at: number): Taken {
  const first = NUMBER.exec(lines[at] as string);
  const kind = first ? NUMBER : BULLET;
  const items: Inline[][] = [];
  let next = at;
  for (let found = kind.exec(lines[next] ?? ""); found; found = kind.exec(lines[next] ?? "")) {
    items.push(parseInline(found[first ? 2 : 1] ?? ""));
    next += 1;
  }
  return { block: { kind: "list", start: first ? Number(first[1]) : null, items }, next };
}

function takeParagraph(lines: readonly string[], at: number, depth: number): Taken {
  const found: Inline[][] = [];
  let next = at;
  while (next < lines.length) {
    const line = lines[next] as string;
    const other = FENCE.test(line) || isItem(line) || (depth < DEPTH_MAX && QUOTE.test(line));
    if (!line.trim() || (other && next > at)) break;
    found.push(parseInline(line));
    next += 1;
  }
  return { block: { kind: "paragraph", lines: found }, next };
}

/** The words alone on one line, for lists and quotations. */
export function plainLine(text: string): string {
  return parseRich(text).map(blockWords).join(" ").replace(/\s+/gu, " ").trim();
}

function blockWords(block: Block): string {
  if (block.kind === "code") return block.text;
  if (block.kind === "quote") return block.inside.map(blockWords).join(" ");
  return (block.kind === "list" ? block.items : block.lines).map(inlineWords).join(" ");
}

function inlineWords(inline: readonly Inline[]): string {
  return inline.map((each) => ("inside" in each ? inlineWords(each.inside) : each.text)).join("");
}

/** In order of strength: code hides everything, an address may hold stars, marks need a word right inside of them. */
const MARKS =
  /(`[^`\n]+`)|(\bhttps?:\/\/[^\s<>"“”«»]+)|\*\*(?=\S)((?:(?!\*\*).)*\S)\*\*|(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*]*[^\s*])\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_(?=[^\s_])([^_]*[^\s_])_(?![\p{L}\p{N}_])/u;

export function parseInline(text: string): Inline[] {
  const found: Inline[] = [];
  let rest = text;
  const plain = (part: string): void => {
    if (part) found.push({ kind: "text", text: part });
  };
  for (let match = MARKS.exec(rest); match; match = MARKS.exec(rest)) {
    plain(rest.slice(0, match.index));
    let whole = match[0];
    if (match[1]) {
      found.push({ kind: "code", text: match[1].slice(1, -1) });
    } else if (match[2]) {
      whole = withoutTail(match[2]);
      const href = webAddress(whole);
      if (href) found.push({ kind: "link", href, text: whole });
      else plain(whole);
    } else if (match[3]) {
      found.push({ kind: "strong", inside: parseInline(match[3]) });
    } else if (match[4]) {
      found.push({ kind: "strong", inside: parseInline(match[4]) });
    } else {
      found.push({ kind: "em", inside: parseInline(match[5] ?? "") });
    }
    rest = rest.slice(match.index + whole.length);
  }
  plain(rest);
  return found;
}

/** A full stop or a bracket after an address belongs to the sentence; a bracket that was opened in it does not. */
function withoutTail(address: string): string {
  let kept = address;
  for (;;) {
    const last = kept.at(-1) ?? "";
    const opened = kept.split("(").length > kept.split(")").length - 1;
    if (".,;:!?'’*_…؟،؛".includes(last) || (last === ")" && !opened) || last === "]") kept = kept.slice(0, -1);
    else return kept;
  }
}

/** Only the web's two schemes, and never a name and password before the host: those are made to deceive. */
function webAddress(text: string): string | null {
  try {
    const url = new URL(text);
    return (url.protocol === "https:" || url.protocol === "http:") && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
