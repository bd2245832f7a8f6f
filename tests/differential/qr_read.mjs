// Reads QR codes with npm's qr: reads [{side, runs: [[x, y, width], …]}, …] as JSON, writes the texts.
import { pathToFileURL } from "node:url";

const { decodeQR } = await import(pathToFileURL(process.argv[2]).href);
let input = "";
for await (const chunk of process.stdin) input += chunk;

const SCALE = 4;
const texts = JSON.parse(input).map(({ side, runs }) => {
  const width = side * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [x, y, long] of runs)
    for (let row = y * SCALE; row < (y + 1) * SCALE; row++)
      for (let column = x * SCALE; column < (x + long) * SCALE; column++)
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
  return decodeQR({ width, height: width, data });
});
process.stdout.write(JSON.stringify(texts));
