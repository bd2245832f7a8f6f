/** Made by `building/saved-client.mjs`. */
declare module "virtual:worker" {
  /** The crypto worker as one script. */
  const source: string;
  export default source;
}
declare module "virtual:texts" {
  /** Language → key → text. */
  const texts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  export default texts;
}
