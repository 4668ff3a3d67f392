// Stands in the build for what age could do with post-quantum and hardware keys: no key of ours is one (sealed/age.ts).
const none = (): never => {
  throw new Error("this kind of key is not built in");
};
const left = { getPublicKey: none, encapsulate: none, decapsulate: none };

export const MLKEM768P256 = left;
export const MLKEM768X25519 = left;
export const p256 = { lengths: {}, Point: { fromBytes: none }, utils: { randomSecretKey: none }, getPublicKey: none, getSharedSecret: none };
