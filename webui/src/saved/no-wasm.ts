/** In place of `hash-wasm`: the saved file's policy allows no WebAssembly, and `vault/passphrase.ts` goes without. */
export function argon2id(): never {
  throw new Error("there is no WebAssembly in the saved client");
}
