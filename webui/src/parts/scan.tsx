/** Reads a QR code: by the camera, from a photo, or pasted as text. One of them works everywhere. */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../state/language.ts";

interface Props {
  onRead: (text: string) => void;
}

const WIDTH_MAX = 1_600;
const EVERY_MS = 200;

type Source = HTMLVideoElement | ImageBitmap;

async function decode(source: Source): Promise<string | null> {
  const width = source instanceof ImageBitmap ? source.width : source.videoWidth;
  const height = source instanceof ImageBitmap ? source.height : source.videoHeight;
  if (!width || !height) return null;
  const scale = Math.min(1, WIDTH_MAX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context?.drawImage(source, 0, 0, canvas.width, canvas.height);
  const image = context?.getImageData(0, 0, canvas.width, canvas.height);
  if (!image) return null;
  const { decodeQR } = await import("qr/decode.js");
  try {
    return decodeQR({ width: image.width, height: image.height, data: image.data }) || null;
  } catch {
    return null; // no code in this picture
  }
}

/** Looks through the camera until a code is seen. Returns how to stop. */
function look(video: HTMLVideoElement, onRead: (text: string) => void, onFail: () => void): () => void {
  let stream: MediaStream | null = null;
  let timer = 0;
  let over = false;
  const stop = (): void => {
    over = true;
    clearTimeout(timer);
    for (const track of stream?.getTracks() ?? []) track.stop();
  };
  const next = async (): Promise<void> => {
    const text = await decode(video);
    if (over) return;
    if (text) onRead(text);
    else timer = window.setTimeout(next, EVERY_MS);
  };
  navigator.mediaDevices
    .getUserMedia({ video: { facingMode: "environment" }, audio: false })
    .then(async (opened) => {
      stream = opened;
      if (over) return stop();
      video.srcObject = opened;
      await video.play();
      await next();
    })
    .catch(() => !over && onFail());
  return stop;
}

export function Scanner({ onRead }: Props) {
  const [looking, setLooking] = useState(false);
  const [said, say] = useState("");
  const video = useRef<HTMLVideoElement>(null);
  const read = useRef(onRead);
  read.current = onRead;

  useEffect(() => {
    if (!looking || !video.current) return undefined;
    const found = (text: string): void => {
      setLooking(false);
      read.current(text);
    };
    return look(video.current, found, () => {
      setLooking(false);
      say(t("app.scan.no_camera"));
    });
  }, [looking]);

  const photo = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    say(t("app.scan.reading"));
    const bitmap = await createImageBitmap(file).catch(() => null);
    const text = bitmap && (await decode(bitmap));
    bitmap?.close();
    say(text ? "" : t("app.scan.none"));
    if (text) read.current(text);
  };

  const camera = typeof navigator.mediaDevices?.getUserMedia === "function";
  return (
    <div class="scanner">
      {looking && (
        <>
          <video class="finder" ref={video} playsInline muted aria-label={t("app.scan.finder")} />
          <p>{t("app.scan.hold")}</p>
        </>
      )}
      <div class="buttons">
        {camera && (
          <button class="button quiet" type="button" onClick={() => setLooking(!looking)}>
            {t(looking ? "app.scan.stop" : "app.scan.camera")}
          </button>
        )}
        <label class="button quiet file-button">
          {t("app.scan.photo")}
          <input
            class="unseen"
            type="file"
            accept="image/*"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = "";
              photo(file);
            }}
          />
        </label>
      </div>
      <p role="status" class="said">
        {said}
      </p>
    </div>
  );
}
