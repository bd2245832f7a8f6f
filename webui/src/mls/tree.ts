/** What the ratchet tree says, and checks of it that the library leaves out. */
import type { LeafNode } from "ts-mls/leafNode.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { isSoundEd25519, isSoundX25519 } from "../bytes/curve.ts";
import { toB64 } from "../bytes/text.ts";
import { LEAVES_MAX } from "./settings.ts";
import { SUITE_NAME } from "./suite.ts";
import { type Leaf, MlsError } from "./types.ts";

/** Throws MlsError `broken` unless the condition holds. */
export function require(condition: boolean): asserts condition {
  if (!condition) throw new MlsError("broken");
}

/** A leaf's own content, whoever made it. Throws MlsError. */
export function checkLeaf(leaf: LeafNode): Uint8Array {
  const { credential, capabilities } = leaf;
  require(credential.credentialType === "basic");
  // A leaf that no longer says it knows these would make every later Add invalid.
  require(capabilities.credentials.includes("basic"));
  require(capabilities.versions.includes("mls10"));
  require(capabilities.ciphersuites.includes(SUITE_NAME));
  require(leaf.extensions.length === 0);
  require(isSoundEd25519(leaf.signaturePublicKey) && isSoundX25519(leaf.hpkePublicKey));
  return credential.identity;
}

/**
 * The library compares a new leaf's keys with nothing, and takes keys no library can encrypt to. Both are the same for
 * all who look at the tree. Throws MlsError.
 */
export function checkTree(tree: RatchetTree): void {
  const keys = new Set<string>();
  const once = (key: Uint8Array): void => {
    const name = toB64(key);
    require(!keys.has(name));
    keys.add(name);
  };
  let leaves = 0;
  for (const node of tree) {
    if (node?.nodeType === "leaf") {
      leaves += 1;
      checkLeaf(node.leaf);
      once(node.leaf.hpkePublicKey);
      once(node.leaf.signaturePublicKey);
    } else if (node?.nodeType === "parent") {
      require(isSoundX25519(node.parent.hpkePublicKey));
      once(node.parent.hpkePublicKey);
    }
  }
  require(leaves > 0 && leaves <= LEAVES_MAX);
}

export function leafOf(tree: RatchetTree, index: number): Leaf {
  const node = tree[index * 2];
  require(node?.nodeType === "leaf");
  return toLeaf(index, node.leaf);
}

function toLeaf(index: number, leaf: LeafNode): Leaf {
  const credential = leaf.credential.credentialType === "basic" ? leaf.credential.identity : new Uint8Array();
  return { index, key: leaf.signaturePublicKey, credential };
}

/** All leaves, by rising index. */
export function leavesOf(tree: RatchetTree): Leaf[] {
  return tree.flatMap((node, at) => (node?.nodeType === "leaf" ? [toLeaf(at / 2, node.leaf)] : []));
}
