/** A QR code, drawn in the browser as one path. The drawing program is fetched when the first one is shown. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../state/language.ts";

interface Drawn {
  readonly size: number;
  readonly path: string;
}

const MARGIN = 4; // modules; less, and some cameras don't find it

async function draw(text: string): Promise<Drawn> {
  const { default: encode } = await import("qr");
  const rows = encode(text, "raw", { ecc: "medium", border: MARGIN });
  let path = "";
  rows.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (dark) path += `M${x} ${y}h1v1h-1z`;
    });
  });
  return { size: rows.length, path };
}

export function QrCode({ text, label }: { text: string; label: string }) {
  const [drawn, show] = useState<Drawn | null>(null);
  const [failed, fail] = useState(false);
  useEffect(() => {
    let wanted = true;
    draw(text).then(
      (done) => wanted && show(done),
      () => wanted && fail(true),
    );
    return () => {
      wanted = false;
    };
  }, [text]);
  if (failed) return <p>{t("app.qr.failed")}</p>;
  if (!drawn) return <div class="qr" />;
  return (
    <svg
      class="qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${drawn.size} ${drawn.size}`}
      shape-rendering="crispEdges"
    >
      <path fill="#fff" d={`M0 0h${drawn.size}v${drawn.size}H0z`} />
      <path fill="#000" d={drawn.path} />
    </svg>
  );
}
