/** All views but the first few, as one piece of program (lazy.tsx fetches it). */
import type { JSX } from "preact";
import type { Route } from "../state/route.ts";
import { AboutRoomPage } from "./about-room.tsx";
import { AskListingPage } from "./ask-listing.tsx";
import { DevicesPage } from "./devices.tsx";
import { HomePage } from "./home.tsx";
import { InvitePage } from "./invite.tsx";
import { LinkNewPage, LinkOldPage } from "./link-device.tsx";
import { NewPage, NewPairPage, NewRoomPage } from "./new.tsx";
import { OpenLinkPage } from "./open-link.tsx";
import { PeoplePage } from "./people.tsx";
import { RecoverPage } from "./recover.tsx";
import { ReturnPage } from "./return.tsx";
import { SearchPage } from "./search.tsx";
import { SettingsPage } from "./settings.tsx";
import { SheetPage } from "./sheet.tsx";
import { VerifyPage } from "./verify.tsx";

export function MorePage({ route }: { route: Route }): JSX.Element {
  switch (route.page) {
    case "people":
      return <PeoplePage room={route.room} />;
    case "about":
      return <AboutRoomPage room={route.room} />;
    case "ask":
      return <AskListingPage listing={route.listing} />;
    case "verify":
      return <VerifyPage room={route.room} member={route.member} />;
    case "invite":
      return <InvitePage room={route.room} />;
    case "new":
      return <NewPage />;
    case "new-pair":
      return <NewPairPage room={route.room} member={route.member} />;
    case "new-room":
      return <NewRoomPage />;
    case "open-link":
      return <OpenLinkPage />;
    case "sheet":
      return <SheetPage />;
    case "devices":
      return <DevicesPage />;
    case "link-old":
      return <LinkOldPage />;
    case "link-new":
      return <LinkNewPage />;
    case "recover":
      return <RecoverPage />;
    case "return":
      return <ReturnPage />;
    case "search":
      return <SearchPage />;
    case "settings":
      return <SettingsPage />;
    default:
      return <HomePage />;
  }
}
