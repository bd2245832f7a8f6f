/**
 * `node --import ./measure/past.mjs …`: a device whose clock begins in the past and runs ahead until it has caught up with
 * the present. `BENCH_PAST` is "START BEGIN SPEED": the Unix second at which it began, what it said then, and its pace.
 */
const [start, begin, speed] = (process.env.BENCH_PAST ?? "").split(" ").map(Number);
const present = Date.now.bind(Date);

Date.now = () => {
  const now = present() / 1000;
  return Math.min(now, begin + (now - start) * speed) * 1000;
};
