/** One listing of the results: the same as `card` in templates/_parts.html. */
import type { Language } from "../texts.ts";
import { HYBRID, IN_PERSON, ONLINE } from "./list.ts";
import type { Found } from "./search.ts";
import { nextText, ownText, weeklyText } from "./words.ts";

export interface Surroundings {
  language: Language;
  /** The visitor's IANA zone. */
  zone: string;
  icons: string;
  addressOf: (id: string) => string;
}

export function Icon({ name, icons }: { name: string; icons: string }) {
  return (
    <svg class="icon" aria-hidden="true" focusable="false" width="20" height="20">
      <use href={`${icons}#${name}`} />
    </svg>
  );
}

function attendanceOf(
  kind: number,
): { key: "attendance.in_person" | "attendance.online" | "attendance.hybrid"; icon: string } | null {
  if (kind === IN_PERSON) return { key: "attendance.in_person", icon: "people" };
  if (kind === ONLINE) return { key: "attendance.online", icon: "screen" };
  return kind === HYBRID ? { key: "attendance.hybrid", icon: "both" } : null;
}

export function Card({ found, around }: { found: Found; around: Surroundings }) {
  const { language, zone, icons } = around;
  const attendance = attendanceOf(found.attendance);
  const times = [...found.times.map((time) => weeklyText(time, language, zone)), ...found.lines];
  const bare = found.disputed && times.length === 0 && !found.next;
  return (
    <article class="card">
      <h3 class="card-name">
        <a href={around.addressOf(found.id)} dir="auto">
          {found.name}
        </a>
      </h3>
      {(found.experiences.length > 0 || found.disputed || found.state) && (
        <p class="badges">
          {found.disputed && (
            <span class="badge warn">
              <Icon name="warn" icons={icons} />
              {language.t("card.disputed")}
            </span>
          )}
          {found.state && (
            <span class="badge now">
              <Icon name="clock" icons={icons} />
              {language.t(found.state === "now" ? "card.now" : "card.soon")}
            </span>
          )}
          {found.experiences.map((label) => (
            <span class="badge" key={label}>
              {label}
            </span>
          ))}
        </p>
      )}
      {bare && <p>{language.t("card.disputed_text")}</p>}
      {found.summary && (
        <p class="card-summary" dir="auto">
          {found.summary}
        </p>
      )}
      <ul class="lines">
        {found.next && (
          <li>
            <Icon name="clock" icons={icons} />
            <span>
              <strong>{language.t(found.state === "now" ? "card.began" : "card.next")}</strong>{" "}
              <time dateTime={new Date(found.next.start).toISOString()}>{nextText(found.next, language, zone)}</time>
              <Own text={ownText(found.next, language, zone)} />
            </span>
          </li>
        )}
        {times.length > 0 && (
          <li>
            <Icon name="repeat" icons={icons} />
            <span>
              {times.map((text, index) => (
                <>
                  {index > 0 && <br />}
                  {text}
                </>
              ))}
              {found.moreTimes > 0 && (
                <>
                  <br />
                  {language.t("card.more_times", { count: found.moreTimes })}
                </>
              )}
            </span>
          </li>
        )}
        {attendance && <Line icon={attendance.icon} icons={icons} text={language.t(attendance.key)} />}
        {found.place && (
          <li>
            <Icon name="pin" icons={icons} />
            <span>
              <span dir="auto">{found.place}</span>
              {found.km !== null && ` · ${language.t("client.distance", { count: Math.max(1, Math.round(found.km)) })}`}
            </span>
          </li>
        )}
        {found.languages.length > 0 && <Line icon="speech" icons={icons} text={found.languages.join(", ")} />}
        {found.access.length > 0 && <Line icon="access" icons={icons} text={found.access.join(", ")} />}
      </ul>
      {found.tags.length > 0 && <p class="tags">{found.tags.join(" · ")}</p>}
    </article>
  );
}

function Own({ text }: { text: string }) {
  return text ? (
    <>
      {" · "}
      <span class="own-time">{text}</span>
    </>
  ) : null;
}

function Line({ icon, icons, text }: { icon: string; icons: string; text: string }) {
  return (
    <li>
      <Icon name={icon} icons={icons} />
      <span>{text}</span>
    </li>
  );
}
