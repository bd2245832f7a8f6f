/** A passphrase becomes a key by Argon2id (RFC 9106): slow for whoever guesses. */

/** How a key was made; kept beside what it wraps. */
export interface Stretch {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly salt: Uint8Array;
}

/** 64 MiB, three passes (RFC 9106's second choice): half a second on a desk, two on an old phone. */
export const STRONG = { memoryKiB: 64 * 1024, passes: 3 } as const;
/** Without WebAssembly that would take many seconds: OWASP's smallest setting, 19 MiB and two passes. */
export const MODEST = { memoryKiB: 19 * 1024, passes: 2 } as const;

/** Whether this place lets WebAssembly run (a page's policy may forbid it). Eight bytes: an empty module. */
export function mayRunWasm(): boolean {
  try {
    return typeof WebAssembly === "object" && !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return false;
  }
}

/** 32 bytes. Passphrases are compared as people type them: NFKC, without spaces at the ends. */
export async function stretch(passphrase: string, how: Stretch): Promise<Uint8Array> {
  const password = new TextEncoder().encode(passphrase.normalize("NFKC").trim());
  if (mayRunWasm()) {
    const { argon2id } = await import("hash-wasm");
    return argon2id({
      password,
      salt: how.salt,
      parallelism: 1,
      iterations: how.passes,
      memorySize: how.memoryKiB,
      hashLength: 32,
      outputType: "binary",
    });
  }
  const { argon2id } = await import("@noble/hashes/argon2.js");
  return argon2id(password, how.salt, { t: how.passes, m: how.memoryKiB, p: 1, dkLen: 32, version: 0x13 });
}

/** What to use for a new passphrase here. */
export function strengthHere(salt: Uint8Array): Stretch {
  return { ...(mayRunWasm() ? STRONG : MODEST), salt };
}
