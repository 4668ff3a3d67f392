// The single lists of the zxcvbn packages, which as a whole would be four times as large.
declare module "@zxcvbn-ts/*.mjs" {
  const list: string[];
  export default list;
}
declare module "@zxcvbn-ts/*.esm.js" {
  const list: string[];
  export default list;
}
