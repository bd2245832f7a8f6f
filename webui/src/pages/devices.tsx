/** The devices that are in, and taking one out. */
import { useEffect, useState } from "preact/hooks";
import { BOUNDS, type DeviceView } from "../client/types.ts";
import { useAction } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Go } from "../parts/link.tsx";
import { Notice } from "../parts/notice.tsx";
import { PageFrame } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { call, sentenceFor } from "../state/client.ts";
import { t } from "../state/language.ts";
import { OneField } from "./about-room.tsx";

export function DevicesPage() {
  const [devices, setDevices] = useState<readonly DeviceView[] | null>(null);
  const [failed, fail] = useState("");
  const load = (): void => {
    call("devices", {}).then(setDevices, (error) => fail(sentenceFor(error)));
  };
  useEffect(load, []);
  return (
    <PageFrame
      title={t("app.devices.title")}
      heading={t("app.devices.title")}
      back={{ to: { page: "settings" }, label: t("app.settings.title") }}
    >
      <p class="lead">{t("app.devices.lead")}</p>
      {failed && (
        <Notice kind="warn">
          <p>{failed}</p>
        </Notice>
      )}
      <ul class="people">
        {devices?.map((device) => (
          <li key={device.device}>
            <Device device={device} onChange={load} />
          </li>
        ))}
      </ul>
      <p>
        <Go class="button" to={{ page: "link-old" }}>
          <Icon name="add" />
          {t("app.devices.link")}
        </Go>
      </p>
      <h2>{t("app.devices.lost")}</h2>
      <p>{t("app.devices.lost_text")}</p>
    </PageFrame>
  );
}

function Device({ device, onChange }: { device: DeviceView; onChange: () => void }) {
  const [asking, ask] = useState(false);
  const [naming, name] = useState(false);
  const action = useAction();
  const unnamed = device.copy ? "app.devices.copy" : device.current ? "app.devices.this" : "app.devices.other";
  const shown = device.name || t(unnamed);
  const remove = async (): Promise<void> => {
    if (!(await action.run(() => call("revokeDevice", { device: device.device })))) return;
    ask(false);
    onChange();
  };
  return (
    <article class="person">
      <span class="face tone-1" aria-hidden="true">
        <Icon name={device.copy ? "lock" : "screen"} />
      </span>
      <div>
        <h2>
          <span dir="auto">{shown}</span> {device.current && <span class="badge">{t("app.devices.here")}</span>}
        </h2>
        <p class="hint">
          {t("app.devices.since")} <Time at={device.created} style="day" />
        </p>
        <p class="person-actions">
          <button class="as-link" type="button" aria-expanded={naming} onClick={() => name(!naming)}>
            {t("app.devices.rename")}
            <span class="unseen"> – {shown}</span>
          </button>
          {!device.current && (
            <button class="as-link danger" type="button" onClick={() => ask(true)}>
              {t("app.devices.remove")}
              <span class="unseen"> – {shown}</span>
            </button>
          )}
        </p>
        {naming && (
          <OneField
            name={`device-${device.device}`}
            label={t("app.devices.name")}
            hint={t("app.devices.name_hint")}
            value={device.name}
            max={BOUNDS.nameCharacters}
            onSave={(text) => call("renameDevice", { device: device.device, name: text }).then(onChange)}
          />
        )}
      </div>
      {asking && (
        <Dialog
          heading={t("app.devices.remove_heading", { name: shown })}
          act={t("app.devices.remove")}
          danger
          action={action}
          onAct={remove}
          onClose={() => ask(false)}
        >
          <p>{t("app.devices.remove_text")}</p>
        </Dialog>
      )}
    </article>
  );
}
