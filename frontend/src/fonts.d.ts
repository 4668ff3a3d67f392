// A font is bundled as its bytes in base64, which is what a PDF takes.
declare module "*.ttf" {
  const base64: string;
  export default base64;
}
