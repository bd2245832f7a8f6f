// Expands a calendar with ical.js: reads {ics, from, until} as JSON, writes [[uid, start, end], …], sorted.
// Times are Unix seconds, or text without a zone for floating ones.
import { pathToFileURL } from "node:url";

const ICAL = (await import(pathToFileURL(process.argv[2]).href)).default;
let input = "";
for await (const chunk of process.stdin) input += chunk;
const { ics, from, until } = JSON.parse(input);

const calendar = new ICAL.Component(ICAL.parse(ics));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);

// Left alone, ical.js relates every RECURRENCE-ID of the file to every event; here each gets those of its own UID.
const components = calendar.getAllSubcomponents("vevent");
const isException = (component) => component.hasProperty("recurrence-id");
const uid = (component) => component.getFirstPropertyValue("uid");
const masters = components
  .filter((component) => !isException(component))
  .map((component) => {
    const exceptions = components.filter((other) => isException(other) && uid(other) === uid(component));
    return new ICAL.Event(component, { strictExceptions: true, exceptions });
  });
const found = [];
const shown = (time) => (time.zone === ICAL.Timezone.localTimezone ? time.toString() : time.toUnixTime());
const instant = (time) => time.toUnixTime();

for (const event of masters) {
  const add = (start, end) => {
    if (instant(start) >= from && instant(start) < until) found.push([event.uid, shown(start), shown(end)]);
  };
  if (!event.isRecurring()) {
    add(event.startDate, event.endDate);
    continue;
  }
  const steps = event.iterator();
  for (let next = steps.next(); next; next = steps.next()) {
    if (instant(next) >= until + 30 * 86400) break;
    const details = event.getOccurrenceDetails(next);
    add(details.startDate, details.endDate);
  }
}
found.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
process.stdout.write(JSON.stringify(found));
