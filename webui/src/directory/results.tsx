/** What stands below the search form once the search runs in the browser. */
import { Card, type Surroundings } from "./card.tsx";
import type { Answer } from "./search.ts";

export type Shown =
  | { kind: "loading" }
  | { kind: "failed" }
  | { kind: "regions" }
  | { kind: "answer"; answer: Answer; town: string; now: boolean };

export type Region = [key: string, label: string, listings: number];

interface Props {
  shown: Shown;
  /** Offered above the results where the list is cut by region. */
  regions: readonly Region[];
  around: Surroundings;
  helpAddress: string;
  onMore: () => void;
  /** The number of the chosen region; -1 when the choice was taken back. */
  onRegion: (number: number) => void;
}

export const PAGE = 50;

export function Results(props: Props) {
  return (
    <>
      {props.regions.length > 0 && <Regions {...props} />}
      <Below {...props} />
    </>
  );
}

function Regions({ regions, around: { language }, onRegion }: Props) {
  return (
    <div class="field region">
      <p>{language.t("client.region_text")}</p>
      <label for="field-region">{language.t("client.region")}</label>
      <select id="field-region" onChange={(event) => onRegion(event.currentTarget.selectedIndex - 1)}>
        <option value="">{language.t("client.region_choose")}</option>
        {regions.map(([key, label, listings]) => (
          <option key={key}>
            {label} ({listings})
          </option>
        ))}
      </select>
    </div>
  );
}

function Below({ shown, around, helpAddress, onMore }: Props) {
  const { language } = around;
  switch (shown.kind) {
    case "loading":
      return <p>{language.t("client.loading")}</p>;
    case "failed":
      return (
        <div class="notice warn">
          <p>{language.t("client.failed")}</p>
        </div>
      );
    case "regions":
      return null;
    case "answer":
      break;
  }
  const { answer, town } = shown;
  if (answer.unknownTown) {
    return (
      <div class="notice info">
        <p>{language.t("client.unknown_town", { town })}</p>
      </div>
    );
  }
  if (answer.total === 0) {
    return (
      <div class="empty">
        <p>{language.t("client.none_text")}</p>
        <p>
          <a href={helpAddress}>{language.t("client.none_help")}</a>
        </p>
      </div>
    );
  }
  const rest = answer.total - answer.rows.length;
  return (
    <>
      {shown.now && <p class="hint">{language.t("client.sorted_now")}</p>}
      <ul class="cards">
        {answer.rows.map((found) => (
          <li key={found.id}>
            <Card found={found} around={around} />
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <p class="more">
          <span>{language.t("client.shown", { shown: answer.rows.length, count: answer.total })}</span>
          <button class="button quiet" type="button" onClick={onMore}>
            {language.t("client.show_more", { count: Math.min(PAGE, rest) })}
          </button>
        </p>
      )}
    </>
  );
}
