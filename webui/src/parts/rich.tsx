/** A message's words as elements (state/rich.ts reads them). Never HTML. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Block, type Inline, parseRich } from "../state/rich.ts";

export function RichText({ text }: { text: string }) {
  const blocks = useMemo(() => parseRich(text), [text]);
  return <div class="rich">{blocks.map(block)}</div>;
}

function block(each: Block, key: number): JSX.Element {
  switch (each.kind) {
    case "paragraph":
      return (
        <p dir="auto" key={key}>
          {each.lines.map((line, index) => (
            <>
              {index > 0 && <br />}
              {line.map(inline)}
            </>
          ))}
        </p>
      );
    case "quote":
      return (
        <blockquote dir="auto" key={key}>
          {each.inside.map(block)}
        </blockquote>
      );
    case "code":
      return (
        <pre dir="ltr" key={key}>
          <code>{each.text}</code>
        </pre>
      );
    case "list": {
      const items = each.items.map((item, index) => (
        <li dir="auto" key={index}>
          {item.map(inline)}
        </li>
      ));
      return each.start === null ? (
        <ul key={key}>{items}</ul>
      ) : (
        <ol start={each.start} key={key}>
          {items}
        </ol>
      );
    }
  }
}

function inline(each: Inline, key: number): JSX.Element | string {
  switch (each.kind) {
    case "text":
      return each.text;
    case "strong":
      return <strong key={key}>{each.inside.map(inline)}</strong>;
    case "em":
      return <em key={key}>{each.inside.map(inline)}</em>;
    case "code":
      return <code key={key}>{each.text}</code>;
    case "link":
      // In a tab of its own: this one would forget where somebody was.
      return (
        <a href={each.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr" key={key}>
          {each.text}
        </a>
      );
  }
}
