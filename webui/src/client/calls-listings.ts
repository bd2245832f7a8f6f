/** Calls about listings: asking the group behind one, and letting people ask one's own. Their programs come when needed. */
import { tidyName } from "./calls-account.ts";
import type { Handlers } from "./client.ts";

type Names = "openListing" | "askListing" | "intake" | "setIntake";

export const listingCalls: Pick<Handlers, Names> = {
  openListing: async ({ home, client }, { listing }) =>
    (await import("./listing-ask.ts")).viewListing(home.core, client.node, listing),
  askListing: async ({ home }, { listing, name, words = "" }) => {
    const tidy = tidyName(name);
    const opened = await (await import("./listing-ask.ts")).openListing(home.core, listing);
    const room = await home.asking.ask(opened, tidy, words);
    await home.core.saveAccount({ name: tidy });
    return { room };
  },
  intake: async ({ home }, { room }) => (await home.intakeParts()).view(home.core.room(room)),
  setIntake: async ({ home }, { room: id, to }) => {
    const room = home.core.room(id);
    const intakes = await home.intakeParts();
    if (to === "closed") await intakes.close(room);
    else if (to === "renew") await intakes.renew(room);
    else await intakes.open(room);
  },
};
