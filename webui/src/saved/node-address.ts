/** The node that somebody means. */

/** The base address in what was typed: an address, or a whole invitation. Undefined when it is neither. */
export function nodeAddress(typed: string): string | undefined {
  const text = typed.trim();
  let address: URL;
  try {
    address = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`);
  } catch {
    return undefined;
  }
  if (!/^https?:$/.test(address.protocol) || address.username || address.password || /\s/.test(text)) return undefined;
  return address.origin + address.pathname.replace(/\/(?:join|app|about|safe-connection)?\/?$/, "");
}
